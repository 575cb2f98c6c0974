//! Optimisers that update all variables in place, one pass over each.

use crate::error::{Error, Result};
use crate::nn::kernels::reduce::sum_of_squares;
use crate::nn::kernels::update;
use crate::nn::ops::storage_slice_mut;
use crate::nn::{Gradients, Vars};
use candle_core::{CpuStorage, InplaceOp1, Layout, bail};
use std::cell::RefCell;

/// The largest gradient that is believed. Beyond it Adam's second moment overflows (and would then silently
/// freeze the weight for good); below it no update of either optimiser can reach infinity.
const LARGEST: f32 = 1e18;

/// Which update rule, with its coefficients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OptimizerKind {
    /// Adam (Kingma & Ba 2015, <https://arxiv.org/abs/1412.6980>), with decoupled weight decay when
    /// `weight_decay` is not 0 (AdamW, Loshchilov & Hutter 2019, <https://arxiv.org/abs/1711.05101>):
    /// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ − ηλθ − η·m̂/(√v̂ + ε).
    Adam {
        /// β₁, the memory of the first moment.
        beta1: f64,
        /// β₂, the memory of the second moment.
        beta2: f64,
        /// ε, added to the root of the second moment.
        eps: f64,
        /// λ
        weight_decay: f64,
    },
    /// Gradient descent with heavy-ball momentum: v ← μv + g, θ ← θ − ηv.
    Sgd {
        /// μ; 0 is plain gradient descent.
        momentum: f64,
    },
}

impl OptimizerKind {
    /// Adam with the usual β₂ = 0.999 and ε = 1e-8, without weight decay.
    pub fn adam(beta1: f64) -> Self {
        Self::Adam { beta1, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 }
    }

    /// The names of the moments that it keeps for each variable.
    fn moments(self) -> &'static [&'static str] {
        match self {
            Self::Adam { .. } => &["m", "v"],
            Self::Sgd { .. } => &["velocity"],
        }
    }
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a refused update has to be reported"]
pub enum Update {
    /// The variables and moments have been updated.
    Applied,
    /// A gradient was not finite (or so large that its square is not): nothing has been changed.
    Refused,
}

/// Named parts of an optimiser's memory, as a snapshot keeps them.
pub type State = Vec<(String, Vec<f32>)>;

/// An update rule and its memory of one set of variables.
#[derive(Debug, Clone)]
pub struct Optimizer {
    kind: OptimizerKind,
    /// The largest allowed norm of the gradient of all variables together; a longer one is scaled down to it.
    pub clip_norm: Option<f64>,
    /// Updates so far.
    steps: u64,
    /// For each variable its name and its moments, in the order of [`OptimizerKind::moments`].
    memory: Vec<(String, Vec<Vec<f32>>)>,
}

impl Optimizer {
    /// An optimiser that has not stepped yet.
    pub fn new(kind: OptimizerKind, vars: &Vars) -> Self {
        let blank = |count: usize| kind.moments().iter().map(|_| vec![0.0; count]).collect();
        let memory = vars.iter().map(|(name, var)| (name.to_string(), blank(var.elem_count()))).collect();
        Self { kind, clip_norm: None, steps: 0, memory }
    }

    /// The update rule.
    pub fn kind(&self) -> OptimizerKind {
        self.kind
    }

    /// Changes the coefficients from the next step on. Another rule than before starts with empty moments.
    pub fn set_kind(&mut self, kind: OptimizerKind) {
        if kind.moments() != self.kind.moments() {
            self.steps = 0;
            for (_, moments) in &mut self.memory {
                let count = moments.first().map_or(0, Vec::len);
                *moments = kind.moments().iter().map(|_| vec![0.0; count]).collect();
            }
        }
        self.kind = kind;
    }

    /// Takes one step with the learning rate `lr` on all variables of `vars`, which are those that it was
    /// made for. A variable without a gradient stays as it is.
    ///
    /// # Errors
    /// When the variables are others. A gradient that cannot be used is not an error, but
    /// [`Update::Refused`]; then nothing has been changed.
    pub fn step(&mut self, vars: &Vars, grads: &Gradients, lr: f64) -> Result<Update> {
        if self.memory.len() != vars.len() || vars.iter().zip(&self.memory).any(|((a, _), (b, _))| a != b) {
            return Err(Error::Config("these are not the optimiser's variables".into()));
        }
        let mut squares = 0.0;
        for (_, var) in vars.iter() {
            if !grads.within(var, LARGEST)? {
                return Ok(Update::Refused);
            }
            if self.clip_norm.is_some() {
                squares += grads.with(var, sum_of_squares)?.unwrap_or(0.0);
            }
        }
        let norm = libm::sqrt(squares);
        let scale = self.clip_norm.filter(|limit| norm > *limit).map_or(1.0, |limit| (limit / norm) as f32);
        self.steps += 1;
        let rule = Rule::new(self.kind, self.steps, lr, scale);
        for ((_, var), (_, moments)) in vars.iter().zip(&mut self.memory) {
            grads.with_parts(var, |first, gradient| {
                var.inplace_op1(&Pass { rule: &rule, first, gradient, moments: RefCell::new(moments) })
            })?;
        }
        Ok(Update::Applied)
    }

    /// Everything it remembers, named: `step` (its low 24 bits and the rest), then the moments of each
    /// variable, as `m.encoder.0.weight`.
    pub fn state(&self) -> State {
        let mut state =
            vec![("step".to_string(), vec![(self.steps & 0xff_ffff) as f32, (self.steps >> 24) as f32])];
        for (name, moments) in &self.memory {
            for (moment, values) in self.kind.moments().iter().zip(moments) {
                state.push((format!("{moment}.{name}"), values.clone()));
            }
        }
        state
    }

    /// Goes on from what [`Optimizer::state`] returned for the same rule and variables.
    ///
    /// # Errors
    /// [`Error::File`] when a part is missing, unknown, of another length, or not finite.
    /// Everything is checked before anything is changed.
    pub fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()> {
        let expected = self.state();
        for (name, values) in &expected {
            let Some((_, found)) = state.iter().find(|(other, _)| other == name) else {
                return Err(Error::File(format!("the optimiser's \"{name}\" is missing")));
            };
            if found.len() != values.len() || found.iter().any(|value| !value.is_finite()) {
                return Err(Error::File(format!(
                    "the optimiser's \"{name}\" should be {} finite numbers",
                    values.len()
                )));
            }
        }
        if state.len() != expected.len() {
            return Err(Error::File("the optimiser's state has parts that are not known".into()));
        }
        let part = |name: &str| state.iter().find(|(other, _)| other == name).map(|(_, values)| values);
        if let Some([low, high]) = part("step").map(Vec::as_slice) {
            self.steps = (*high as u64) << 24 | *low as u64;
        }
        for (name, moments) in &mut self.memory {
            for (moment, values) in self.kind.moments().iter().zip(moments) {
                if let Some(found) = part(&format!("{moment}.{name}")) {
                    values.copy_from_slice(found);
                }
            }
        }
        Ok(())
    }
}

/// One step's coefficients.
enum Rule {
    Adam(update::Adam),
    Sgd { momentum: f32, rate: f32, scale: f32 },
}

impl Rule {
    fn new(kind: OptimizerKind, steps: u64, lr: f64, scale: f32) -> Self {
        match kind {
            OptimizerKind::Adam { beta1, beta2, eps, weight_decay } => {
                let correction1 = 1.0 - libm::pow(beta1, steps as f64);
                let correction2 = 1.0 - libm::pow(beta2, steps as f64);
                Self::Adam(update::Adam {
                    first: [beta1 as f32, (1.0 - beta1) as f32],
                    second: [beta2 as f32, (1.0 - beta2) as f32],
                    eps: eps as f32,
                    keep: (1.0 - lr * weight_decay) as f32,
                    rate: (lr / correction1) as f32,
                    spread: (1.0 / libm::sqrt(correction2)) as f32,
                    scale,
                })
            }
            OptimizerKind::Sgd { momentum } => {
                Self::Sgd { momentum: momentum as f32, rate: lr as f32, scale }
            }
        }
    }

    /// One pass over a part of a variable, of its gradient and of its moments.
    fn apply(&self, xs: &mut [f32], gradient: &[f32], moments: &mut [&mut [f32]]) -> candle_core::Result<()> {
        match (self, moments) {
            (Self::Adam(adam), [m, v]) => adam.step(xs, gradient, m, v),
            (&Self::Sgd { momentum, rate, scale }, [velocity]) => {
                update::sgd(xs, gradient, velocity, momentum, rate, scale);
            }
            _ => bail!("the moments are another rule's"),
        }
        Ok(())
    }
}

/// A rule on its way into a variable's storage.
struct Pass<'a> {
    rule: &'a Rule,
    /// Where in the variable the gradient begins.
    first: usize,
    gradient: &'a [f32],
    moments: RefCell<&'a mut Vec<Vec<f32>>>,
}

impl InplaceOp1 for Pass<'_> {
    fn name(&self) -> &'static str {
        "optimiser"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let part = self.first..self.first + self.gradient.len();
        let mut moments = self.moments.borrow_mut();
        let moments: Option<Vec<_>> = moments.iter_mut().map(|moment| moment.get_mut(part.clone())).collect();
        match (storage_slice_mut(x, layout)?.get_mut(part), moments) {
            (Some(x), Some(mut moments)) => self.rule.apply(x, self.gradient, &mut moments),
            _ => bail!("a gradient has another size than its variable"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Ema;
    use candle_core::backprop::GradStore;
    use candle_core::{Device, Tensor};
    use serde_json::Value;

    fn oracle() -> Value {
        serde_json::from_str(include_str!("../../tests/reference/k_optimisers.json")).unwrap()
    }

    fn numbers(value: &Value) -> Vec<f32> {
        value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
    }

    /// The quadratic's variables, split over two tensors of unequal size.
    fn start() -> Vars {
        let x0 = numbers(&oracle()["x0"]);
        let mut vars = Vars::new();
        vars.add("a", &[2, 1], x0[..2].to_vec()).unwrap();
        vars.add("b", &[3], x0[2..].to_vec()).unwrap();
        vars
    }

    fn values(vars: &Vars) -> Vec<f32> {
        vars.iter().flat_map(|(_, var)| var.flatten_all().unwrap().to_vec1::<f32>().unwrap()).collect()
    }

    fn gradient(vars: &Vars) -> GradStore {
        let a = numbers(&oracle()["a"]);
        let flat: Vec<Tensor> = vars.iter().map(|(_, var)| var.flatten_all().unwrap()).collect();
        let a = Tensor::new(a, &Device::Cpu).unwrap();
        let loss = (Tensor::cat(&flat, 0).unwrap().sqr().unwrap() * a).unwrap();
        (loss.sum_all().unwrap() * 0.5).unwrap().backward().unwrap()
    }

    fn step(optimizer: &mut Optimizer, vars: &Vars, lr: f64) {
        assert_eq!(optimizer.step(vars, &gradient(vars).into(), lr).unwrap(), Update::Applied);
    }

    fn follow(name: &str, kind: OptimizerKind, lr: f64, clip_norm: Option<f64>, decay: Option<f64>) {
        let (vars, average, oracle) = (start(), start(), oracle());
        let mut optimizer = Optimizer::new(kind, &vars);
        optimizer.clip_norm = clip_norm;
        for t in 1..=100 {
            step(&mut optimizer, &vars, lr);
            if let Some(decay) = decay {
                Ema { decay }.update(&average, &vars).unwrap();
            }
            let expected = &oracle[name][t.to_string()];
            for (key, got) in [("x", values(&vars)), ("ema", values(&average))] {
                if let Some(expected) = expected.get(key) {
                    for (x, y) in got.iter().zip(numbers(expected)) {
                        assert!((x - y).abs() < 1e-5, "{name}, step {t}, {key}: {x} should be {y}");
                    }
                }
            }
        }
    }

    #[test]
    fn optimisers_follow_the_reference_sequences() {
        let adamw = OptimizerKind::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.1 };
        follow("adam lr=0.1", OptimizerKind::adam(0.9), 0.1, None, None);
        follow("adam lr=0.01 beta1=0.5", OptimizerKind::adam(0.5), 0.01, None, None);
        follow("adamw lr=0.1 wd=0.1", adamw, 0.1, None, None);
        follow("sgd lr=0.05 momentum=0.9", OptimizerKind::Sgd { momentum: 0.9 }, 0.05, None, None);
        follow("sgd lr=0.1 momentum=0", OptimizerKind::Sgd { momentum: 0.0 }, 0.1, None, None);
        follow("adam lr=0.1 clip=1 ema=0.9", OptimizerKind::adam(0.9), 0.1, Some(1.0), Some(0.9));
    }

    #[test]
    fn a_gradient_that_cannot_be_used_changes_nothing() {
        let vars = start();
        let mut optimizer = Optimizer::new(OptimizerKind::adam(0.9), &vars);
        step(&mut optimizer, &vars, 0.1);
        let before = (values(&vars), optimizer.state());
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e19, -1e19] {
            for position in 0..3 {
                let mut grads = gradient(&vars);
                let mut values = vec![1.0; 3];
                values[position] = bad;
                grads.insert(vars.get("b").unwrap(), Tensor::new(values, &Device::Cpu).unwrap());
                assert_eq!(optimizer.step(&vars, &grads.into(), 0.1).unwrap(), Update::Refused);
            }
        }
        assert_eq!(before, (values(&vars), optimizer.state()));
    }

    #[test]
    fn the_state_continues_bit_for_bit() {
        for kind in [OptimizerKind::adam(0.9), OptimizerKind::Sgd { momentum: 0.9 }] {
            let (vars, other) = (start(), start());
            let mut optimizer = Optimizer::new(kind, &vars);
            (0..3).for_each(|_| step(&mut optimizer, &vars, 0.1));
            other.copy_from(&vars).unwrap();
            let mut resumed = Optimizer::new(kind, &other);
            resumed.load_state(&optimizer.state()).unwrap();
            (0..3).for_each(|_| step(&mut optimizer, &vars, 0.1));
            (0..3).for_each(|_| step(&mut resumed, &other, 0.1));
            assert_eq!((values(&vars), optimizer.state()), (values(&other), resumed.state()));
        }
    }

    #[test]
    fn a_bad_state_is_refused_by_name_and_changes_nothing() {
        let vars = start();
        let mut optimizer = Optimizer::new(OptimizerKind::adam(0.9), &vars);
        step(&mut optimizer, &vars, 0.1);
        let good = optimizer.state();
        let mut refused = |change: &dyn Fn(&mut State)| {
            let mut bad = good.clone();
            change(&mut bad);
            let message = optimizer.load_state(&bad).unwrap_err().to_string();
            assert_eq!(optimizer.state(), good);
            message
        };
        assert!(refused(&|state| drop(state.remove(1))).contains("\"m.a\" is missing"));
        assert!(refused(&|state| state[2].1.push(0.0)).contains("\"v.a\" should be 2"));
        assert!(refused(&|state| state[3].1[0] = f32::NAN).contains("\"m.b\" should be 3 finite"));
        assert!(refused(&|state| state.push(("w.a".into(), vec![]))).contains("not known"));
        let sgd = Optimizer::new(OptimizerKind::Sgd { momentum: 0.0 }, &vars).state();
        assert!(optimizer.load_state(&sgd).is_err());
    }

    #[test]
    fn coefficients_can_change_and_another_rule_starts_afresh() {
        let vars = start();
        let mut optimizer = Optimizer::new(OptimizerKind::adam(0.9), &vars);
        step(&mut optimizer, &vars, 0.1);
        let state = optimizer.state();
        optimizer.set_kind(OptimizerKind::adam(0.5));
        assert_eq!(optimizer.state(), state);
        let sgd = OptimizerKind::Sgd { momentum: 0.9 };
        optimizer.set_kind(sgd);
        assert_eq!(optimizer.state(), Optimizer::new(sgd, &vars).state());
        step(&mut optimizer, &vars, 0.1);
        assert!(optimizer.step(&vars.select("a"), &gradient(&vars).into(), 0.1).is_err());
    }

    #[test]
    fn a_variable_without_a_gradient_stays() {
        let vars = start();
        let mut optimizer = Optimizer::new(OptimizerKind::adam(0.9), &vars);
        let mut grads = gradient(&vars);
        grads.remove(vars.get("b").unwrap());
        assert_eq!(vars.without_gradient(&grads), ["b"]);
        let before = values(&vars);
        assert_eq!(optimizer.step(&vars, &grads.into(), 0.1).unwrap(), Update::Applied);
        let after = values(&vars);
        assert_eq!(before[2..], after[2..]);
        assert!(before[..2].iter().zip(&after).all(|(x, y)| x != y));
    }
}
