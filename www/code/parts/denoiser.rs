fn refuse(file: &File) -> Result<()> {
    match file.text("net")? {
        "mlp" => Ok(()),
        net => Err(format!("net = {net} is not covered here: only the fully connected model (net = mlp) is").into()),
    }
}

const TIME_FEATURES: usize = 32;

/// What the network is told of a time in 0..1: sines, then cosines, from half a turn to 30 turns.
fn waves(time: f32) -> Vec<f32> {
    let half = TIME_FEATURES / 2;
    let angle = |i: usize| {
        let turns = time * (0.5 * 60_f64.powf(i as f64 / (half - 1) as f64)) as f32;
        std::f64::consts::TAU * f64::from(turns - turns.floor())
    };
    let sines = (0..half).map(|i| angle(i).sin() as f32);
    sines.chain((0..half).map(|i| angle(i).cos() as f32)).collect()
}

/// The network with the moving average of its weights, with which samples are drawn.
struct Denoiser<'a> {
    file: &'a File,
    average: Layers,
    labels: Vec<usize>,
    guidance: f64,
}

impl<'a> Denoiser<'a> {
    fn new(file: &'a File, labels: Vec<usize>) -> Result<Self> {
        let mut widths = vec![file.size() + TIME_FEATURES + file.constants("classShares").len()];
        widths.extend(file.widths());
        widths.push(file.size());
        let average = file.layers("average", &widths, file.text("activation")?, "linear")?;
        Ok(Self { file, average, labels, guidance: file.number("guidance")? })
    }

    fn at(&self, xs: &Tensor, time: f64, labels: &[usize]) -> Result<Tensor> {
        let told = Tensor::new(waves(time as f32), &Device::Cpu)?.broadcast_left(xs.dim(0)?)?;
        self.average.forward(&self.file.beside(&Tensor::cat(&[xs, &told.contiguous()?], 1)?, labels)?)
    }

    /// The output at rows and a time, guided towards the rows' classes.
    fn predict(&self, xs: &Tensor, time: f64) -> Result<Tensor> {
        let conditional = self.at(xs, time, &self.labels)?;
        if self.labels.is_empty() || self.guidance == 0.0 {
            return Ok(conditional);
        }
        Ok(((conditional * (1.0 + self.guidance))? - (self.at(xs, time, &[])? * self.guidance)?)?)
    }
}

/// From the model's −1..1 to the data's 0..1, where the data have that range.
fn outward(file: &File, xs: Tensor) -> Result<Tensor> {
    if file.constants("range").is_empty() { Ok(xs) } else { Ok(xs.affine(0.5, 0.5)?.clamp(0_f32, 1_f32)?) }
}
