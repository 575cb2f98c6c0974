//! The network that diffusion and flow matching train: a vector field of x, the time, and the class if it is
//! conditional; and the moving average of its weights, which samples are drawn with.

use candle_core::Tensor;

use super::condition::Condition;
use super::path::{TIME_FEATURES, frequencies, guide};
use super::unet::UNet;
use super::{OptionDomains, Step, load_named_state, matrix, named_state};
use crate::choices;
use crate::data::{Data, Domain, Shape};
use crate::error::{Error, Result};
use crate::nn::ops::{self, with_slice};
use crate::nn::{Activation, Ema, Init, Mlp, Optimizer, OptimizerKind, Solver, Vars, kernels::travel};
use crate::rng::Rng;

choices! {
    /// The kind of network.
    pub enum Network {
        /// Fully connected: image or point, time and class in one row.
        Mlp = "mlp",
        /// Convolutions at two scales, told the time and the class at each.
        UNet = "unet",
    }
}

/// Where a network of images may be chosen.
pub const NETWORK_DOMAINS: &[OptionDomains] =
    &[OptionDomains { key: "net", option: "unet", domains: &[Domain::Images] }];

/// What makes a [`Denoiser`].
#[derive(Debug, Clone)]
pub struct Design {
    /// The kind of network.
    pub network: Network,
    /// Channels of a U-Net at the images' own scale.
    pub channels: usize,
    /// Widths of the hidden layers.
    pub widths: Vec<usize>,
    /// Their nonlinearity.
    pub activation: Activation,
    /// Whether it is told the class, where the data have labels.
    pub conditional: bool,
    /// The update rule.
    pub rule: OptimizerKind,
}

/// A batch on the way from noise to data, and what is to be predicted there.
pub struct Batch {
    /// Where the rows are, (n, size).
    pub at: Vec<f32>,
    /// When, n values in 0..=1.
    pub times: Vec<f32>,
    /// What is to be predicted, (n, size).
    pub targets: Vec<f32>,
    /// The class of each row; none where the network is not told.
    pub labels: Vec<Option<u32>>,
    /// What the network's output is multiplied by at each row before it is compared; nothing for 1.
    pub scales: Vec<f32>,
}

/// A vector field with its divergence: v and ∇·v at rows and a time.
pub type Field<'a> = &'a mut dyn FnMut(&[f32], f64) -> Result<(Vec<f32>, Vec<f32>)>;

/// How densities are solved for: 24 evaluations, each three times as dear as a sample's; on the ring the density
/// then has a mass of 1.01.
const DENSITY_SOLVER: Solver = Solver::Rk4;
const DENSITY_STEPS: usize = 6;

/// Either network.
enum Net {
    Mlp(Mlp),
    UNet(Box<UNet>),
}

impl Net {
    fn detached(&self) -> Self {
        match self {
            Self::Mlp(mlp) => Self::Mlp(mlp.detached()),
            Self::UNet(unet) => Self::UNet(Box::new(unet.detached())),
        }
    }
}

/// A network f(x, t, class), the average of its weights, and its optimiser.
pub struct Denoiser {
    /// Those of the network below `net`, those of the average below `average`.
    vars: Vars,
    trained: Vars,
    averaged: Vars,
    net: Net,
    average: Net,
    optimizer: Optimizer,
    frequencies: [f32; TIME_FEATURES / 2],
    shape: Shape,
    /// Whether values in 0..=1 are stretched to −1..=1.
    stretched: bool,
    condition: Condition,
}

impl Denoiser {
    /// A network for these data, with fresh weights.
    pub fn new(design: &Design, data: &Data, seed: u32) -> Result<Self> {
        let shape = data.shape;
        let condition = Condition::new(design.conditional, data)?;
        let features = TIME_FEATURES + condition.classes();
        let mut vars = Vars::new();
        let mut build = |name: &str| {
            // Both from the same stream: the average starts where the network does.
            let (rng, activation) = (&mut Rng::stream(seed, "init"), design.activation);
            let (widths, size, init) = (&design.widths, shape.size(), Init::KaimingUniform);
            Ok::<_, Error>(match design.network {
                Network::Mlp => Net::Mlp(Mlp::new(
                    &mut vars,
                    name,
                    size + features,
                    widths,
                    size,
                    activation,
                    Activation::Identity,
                    init,
                    rng,
                )?),
                Network::UNet => {
                    Net::UNet(Box::new(UNet::new(&mut vars, name, shape, design.channels, features, rng)?))
                }
            })
        };
        let (net, average) = (build("net")?, build("average")?.detached());
        let (trained, averaged) = (vars.within("net"), vars.within("average"));
        let optimizer = Optimizer::new(design.rule, &trained);
        let stretched = shape.domain == Domain::Images && data.range == Some([0.0, 1.0]);
        let frequencies = frequencies();
        Ok(Self {
            vars,
            trained,
            averaged,
            net,
            average,
            optimizer,
            frequencies,
            shape,
            stretched,
            condition,
        })
    }

    /// All variables: the network's and the average's.
    pub fn vars(&self) -> &Vars {
        &self.vars
    }

    /// How many numbers are trained.
    pub fn parameters(&self) -> usize {
        self.trained.count()
    }

    /// Changes the update rule's coefficients.
    pub fn set_rule(&mut self, rule: OptimizerKind) {
        self.optimizer.set_kind(rule);
    }

    /// The optimiser's state by name.
    pub fn state(&self) -> Vec<(String, Vec<f32>)> {
        named_state("optimizer", &self.optimizer)
    }

    /// Takes back what [`Denoiser::state`] gave.
    pub fn load_state(&mut self, state: &[(String, Vec<f32>)]) -> Result<()> {
        load_named_state("optimizer", &mut self.optimizer, state)
    }

    /// How many values a row has.
    pub fn size(&self) -> usize {
        self.shape.size()
    }

    /// How many classes it is told apart; 0 if it is told none.
    pub fn classes(&self) -> usize {
        self.condition.classes()
    }

    /// What samples need beside the weights: see [`super::Model::constants`].
    pub fn constants(&self) -> Vec<(&'static str, Vec<f32>)> {
        let range = self.range().map_or_else(Vec::new, |_| vec![0.0, 1.0]);
        vec![("classShares", self.condition.shares().to_vec()), ("range", range)]
    }

    /// The range of its data inside the model, if they have one.
    pub fn range(&self) -> Option<[f32; 2]> {
        self.stretched.then_some([-1.0, 1.0])
    }

    /// Data as the network sees them.
    pub fn inward(&self, xs: &Tensor) -> Result<Vec<f32>> {
        let mut xs: Vec<f32> = xs.flatten_all()?.to_vec1()?;
        if self.stretched {
            for x in &mut xs {
                *x = 2.0 * *x - 1.0;
            }
        }
        Ok(xs)
    }

    /// What the network made, as data: (n, size).
    pub fn outward(&self, mut xs: Vec<f32>) -> Result<Tensor> {
        if self.stretched {
            for x in &mut xs {
                *x = (0.5 * *x + 0.5).clamp(0.0, 1.0);
            }
        }
        let n = xs.len() / self.size();
        matrix(xs, n, self.size())
    }

    /// `n` training rows as the network sees them, with their classes; a share `dropout` of the classes is left
    /// out, so that the network also learns to do without.
    pub fn rows(&self, step: &mut Step, n: usize, dropout: f64) -> Result<(Vec<f32>, Vec<Option<u32>>)> {
        let (xs, labels) = step.labelled_batch(n)?;
        let labels = labels
            .into_iter()
            .filter(|_| self.classes() > 0)
            .map(|label| Some(label).filter(|_| step.noise.uniform() >= dropout as f32))
            .collect();
        Ok((self.inward(&xs)?, labels))
    }

    /// What the network is told beside each row: the features of its time, and its class as one of so many
    /// places. One time stands for all rows; no labels for no classes. Each row starts `before` places late.
    fn told(&self, n: usize, before: usize, times: &[f32], labels: &[Option<u32>]) -> Vec<f32> {
        let width = before + TIME_FEATURES + self.classes();
        let mut told = vec![0.0; n * width];
        let mut features = [0.0; TIME_FEATURES];
        for (i, row) in told.chunks_mut(width).enumerate() {
            let (waves, class) = row.split_at_mut(before + TIME_FEATURES);
            if let Some(&time) = times.get(i) {
                travel::waves(time, &self.frequencies, &mut features);
            }
            waves.split_at_mut(before).1.copy_from_slice(&features);
            let label = labels.get(i).copied().flatten();
            if let Some(here) = label.and_then(|label| class.get_mut(label as usize)) {
                *here = 1.0;
            }
        }
        told
    }

    /// The input of a fully connected network: each row, and what is told beside it.
    fn input(&self, xs: &[f32], times: &[f32], labels: &[Option<u32>]) -> Result<Tensor> {
        let size = self.size();
        let (n, width) = (xs.len() / size, size + TIME_FEATURES + self.classes());
        let mut input = self.told(n, size, times, labels);
        for (row, x) in input.chunks_mut(width).zip(xs.chunks(size)) {
            row.split_at_mut(size).0.copy_from_slice(x);
        }
        matrix(input, n, width)
    }

    /// The value of a network at rows, times and classes.
    fn forward(&self, net: &Net, xs: Vec<f32>, times: &[f32], labels: &[Option<u32>]) -> Result<Tensor> {
        match net {
            Net::Mlp(mlp) => mlp.forward(&self.input(&xs, times, labels)?),
            Net::UNet(unet) => {
                let n = xs.len() / self.size();
                let told = matrix(self.told(n, 0, times, labels), n, TIME_FEATURES + self.classes())?;
                unet.forward(&matrix(xs, n, self.size())?, &told)
            }
        }
    }

    /// The mean squared error of a batch over its rows and values, tracked in the weights if `net` is.
    fn error(&self, net: &Net, batch: Batch) -> Result<Tensor> {
        let mut output = self.forward(net, batch.at, &batch.times, &batch.labels)?;
        let n = output.dim(0)?;
        if !batch.scales.is_empty() {
            output = output.broadcast_mul(&matrix(batch.scales, n, 1)?)?;
        }
        let targets = matrix(batch.targets, n, self.size())?;
        Ok((ops::squared_error(&output, &targets)? / self.size() as f64)?)
    }

    /// One update towards the batch's targets, and the average's move; the error before it.
    ///
    /// # Errors
    /// [`Error::Diverged`] if the error or its gradient is not finite.
    pub fn train(&mut self, step: &Step, batch: Batch, rate: f64, decay: f64) -> Result<f32> {
        let error = self.error(&self.net, batch)?;
        let value = error.to_scalar()?;
        step.update(&mut self.optimizer, &self.trained, &error, rate, "the squared error")?;
        // Young averages forget faster, or the initial weights would be seen for long.
        let decay = decay.min((step.index + 1) as f64 / (step.index + 10) as f64);
        Ema { decay }.update(&self.averaged, &self.trained)?;
        Ok(value)
    }

    /// The mean squared error of the averaged network.
    pub fn evaluate(&self, batch: Batch) -> Result<f64> {
        Ok(self.error(&self.average, batch)?.to_scalar::<f32>()?.into())
    }

    /// The averaged network's output for rows at one time.
    pub fn predict(&self, xs: &[f32], time: f64, labels: &[Option<u32>]) -> Result<Vec<f32>> {
        let output = self.forward(&self.average, xs.to_vec(), &[time as f32], labels)?;
        Ok(with_slice(&output, <[f32]>::to_vec)?)
    }

    /// [`Denoiser::predict`], guided towards the rows' classes with weight `w`.
    pub fn guided(&self, xs: &[f32], time: f64, labels: &[Option<u32>], w: f64) -> Result<Vec<f32>> {
        let told = self.predict(xs, time, labels)?;
        if labels.is_empty() || w == 0.0 {
            return Ok(told);
        }
        Ok(guide(&told, &self.predict(xs, time, &[])?, w))
    }

    /// A class for each of `n` samples, as often as among the training rows; none if it is told none.
    pub fn draw_labels(&self, n: usize, rng: &mut Rng) -> Vec<Option<u32>> {
        self.condition.draw(n, rng).into_iter().map(Some).collect()
    }

    /// The output of the averaged network, and its divergence Σ_k ∂f_k/∂x_k at each row: exact, by carrying
    /// the derivative along every coordinate forwards through the layers.
    ///
    /// # Errors
    /// If the network is not fully connected.
    pub fn with_divergence(&self, xs: &[f32], time: f64) -> Result<(Vec<f32>, Vec<f32>)> {
        let size = self.size();
        let n = xs.len() / size;
        let mut hs = self.input(xs, &[time as f32], &[])?;
        let Net::Mlp(mlp) = &self.average else {
            return Err(Error::Config("the divergence needs a fully connected network".into()));
        };
        let count = mlp.layers.len();
        // (size·n, width): the derivatives along the first coordinate at every row, then along the second …
        let mut tangents: Option<Tensor> = None;
        for (i, layer) in mlp.layers.iter().enumerate() {
            let zs = layer.forward(&hs)?;
            let outputs = zs.dim(1)?;
            let along = match &tangents {
                // A derivative of the input is one column of the first weights, the same at every row.
                None => {
                    let columns = layer.weight.narrow(1, 0, size)?.t()?.contiguous()?;
                    columns.reshape((size, 1, outputs))?.broadcast_as((size, n, outputs))?.contiguous()?
                }
                Some(tangents) => ops::linear(tangents, &layer.weight, None, Activation::Identity)?
                    .reshape((size, n, outputs))?,
            };
            let (next, along) = if i + 1 == count {
                (zs, along)
            } else {
                let slopes = mlp.activation.derivative(&zs)?;
                (mlp.activation.forward(&zs)?, along.broadcast_mul(&slopes)?)
            };
            hs = next;
            tangents = Some(along.reshape((size * n, outputs))?);
        }
        let mut divergence = vec![0.0; n];
        if let Some(tangents) = tangents {
            with_slice(&tangents, |values| {
                for (k, block) in values.chunks((n * size).max(1)).enumerate() {
                    for (sum, row) in divergence.iter_mut().zip(block.chunks(size)) {
                        *sum += row.get(k).copied().unwrap_or_default();
                    }
                }
            })?;
        }
        Ok((with_slice(&hs, <[f32]>::to_vec)?, divergence))
    }

    /// log p of data at the end of a flow dx/dt = v that starts with noise: solved backwards over `times`, with the
    /// log-density carried along beside the place. `field` gives v and ∇·v.
    ///
    /// # Shapes
    /// (n, size) → (n)
    pub fn log_prob(&self, xs: &Tensor, times: [f64; 2], field: Field) -> Result<Vec<f32>> {
        let size = self.size();
        let mut state = self.inward(xs)?;
        let places = state.len();
        state.resize(places + places / size, 0.0);
        let mut slope = |state: &[f32], t: f64| {
            let (xs, _) = state.split_at(places);
            let (mut velocity, divergence) = field(xs, t)?;
            velocity.extend(divergence);
            Ok(velocity)
        };
        DENSITY_SOLVER.solve(&mut state, times, DENSITY_STEPS, &mut slope, &mut |_| ())?;
        let (xs, changes) = state.split_at(places);
        let constant = 0.5 * size as f32 * std::f32::consts::TAU.ln();
        let normal = |x: &[f32]| -0.5 * x.iter().map(|x| x * x).sum::<f32>() - constant;
        Ok(xs.chunks(size).zip(changes).map(|(x, change)| normal(x) + change).collect())
    }
}
