// --- what every program of this kind has in common ---------------------------------------------------------------

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The page's generator: xoshiro128++ (Blackman & Vigna 2021), one stream for each purpose.
struct Rng([u32; 4]);

#[allow(dead_code)]
impl Rng {
    fn stream(seed: u32, label: &str) -> Self {
        // FNV-1a keeps the labels apart, splitmix64 spreads the sum over the state.
        let hash = label
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut mix = hash ^ u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut next = || {
            mix = mix.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (mix ^ (mix >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        let (a, b) = (next(), next());
        Self([a as u32 | 1, (a >> 32) as u32, b as u32, (b >> 32) as u32])
    }

    /// The next 32 random bits.
    fn bits(&mut self) -> u32 {
        let s = &mut self.0;
        let out = s[0].wrapping_add(s[3]).rotate_left(7).wrapping_add(s[0]);
        let t = s[1] << 9;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(11);
        out
    }

    /// Uniform on [0, 1), 24 bits.
    fn uniform(&mut self) -> f32 {
        (self.bits() >> 8) as f32 / 16_777_216.0
    }

    /// Uniform on [0, 1), 53 bits.
    fn uniform_wide(&mut self) -> f64 {
        let high = u64::from(self.bits() >> 5);
        ((high << 26) | u64::from(self.bits() >> 6)) as f64 / 9_007_199_254_740_992.0
    }

    /// Standard normal draws (Box–Muller, both halves), (n, d).
    fn normals(&mut self, n: usize, d: usize) -> Result<Tensor> {
        let mut out = Vec::with_capacity(n * d + 1);
        while out.len() < n * d {
            let (first, second) = (f64::from(1.0 - self.uniform()), f64::from(self.uniform()));
            let radius = (-2.0 * first.max(f64::from(f32::MIN_POSITIVE)).ln()).sqrt();
            let (sin, cos) = (std::f64::consts::TAU * second).sin_cos();
            out.extend([(radius * cos) as f32, (radius * sin) as f32]);
        }
        out.truncate(n * d);
        Ok(Tensor::from_vec(out, (n, d), &Device::Cpu)?)
    }
}

/// A file of weights that the page or the command line exported.
struct File {
    config: Json,
    data: Json,
    tensors: HashMap<String, Tensor>,
}

#[allow(dead_code)]
impl File {
    fn read(path: &str) -> Result<Self> {
        let bytes = std::fs::read(path)?;
        // Eight bytes of length, then a header of JSON, whose metadata hold two texts of JSON.
        let length = bytes.get(..8).ok_or("the file is too short")?.try_into().map(u64::from_le_bytes)?;
        let header = bytes.get(8..8 + length as usize).ok_or("the file is cut off")?;
        let header: Json = serde_json::from_slice(header)?;
        let entry = |key: &str| -> Result<Json> {
            let text = header["__metadata__"][key].as_str();
            Ok(serde_json::from_str(text.ok_or("these are no weights that Tealight exported")?)?)
        };
        let (config, data) = (entry("tealight")?, entry("tealight.data")?);
        if config["model"] != MODEL {
            return Err(format!("these are weights of the model {}; this program is for {MODEL}", config["model"]).into());
        }
        Ok(Self { config, data, tensors: candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)? })
    }

    fn number(&self, key: &str) -> Result<f64> {
        Ok(self.config[key].as_f64().ok_or_else(|| format!("the configuration has no number {key}"))?)
    }

    fn whole(&self, key: &str) -> Result<usize> {
        Ok(self.number(key)? as usize)
    }

    fn text(&self, key: &str) -> Result<&str> {
        Ok(self.config[key].as_str().ok_or_else(|| format!("the configuration has no {key}"))?)
    }

    fn widths(&self) -> Vec<usize> {
        let list = self.config["networkShape"].as_array().into_iter().flatten();
        list.filter_map(|width| width.as_u64().map(|width| width as usize)).collect()
    }

    /// Values of a row.
    fn size(&self) -> usize {
        ["channels", "height", "width"].iter().map(|key| self.shape(key)).product()
    }

    fn shape(&self, key: &str) -> usize {
        self.data["shape"][key].as_u64().unwrap_or(0) as usize
    }

    fn domain(&self) -> &str {
        self.data["shape"]["domain"].as_str().unwrap_or_default()
    }

    /// What the model took from the data.
    fn constants(&self, name: &str) -> Vec<f32> {
        let list = self.data["constants"][name].as_array().into_iter().flatten();
        list.filter_map(|x| x.as_f64().map(|x| x as f32)).collect()
    }

    /// A tensor of this name and shape.
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let tensor = self.tensors.get(name).ok_or_else(|| format!("the file has no {name}"))?;
        if tensor.dims() != shape {
            return Err(format!("{name} should be {shape:?}, and is {:?}", tensor.dims()).into());
        }
        Ok(tensor.clone())
    }

    fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear> {
        let weight = self.tensor(&format!("{name}.weight"), &[outputs, inputs])?;
        Ok(Linear::new(weight, Some(self.tensor(&format!("{name}.bias"), &[outputs])?)))
    }

    /// Fully connected layers of these widths, one activation between them and another at the end.
    fn layers(&self, name: &str, widths: &[usize], between: &str, end: &str) -> Result<Layers> {
        let pairs = widths.windows(2).enumerate();
        let layers = pairs.map(|(i, pair)| self.linear(&format!("{name}.{i}"), pair[0], pair[1]));
        Ok(Layers { layers: layers.collect::<Result<_>>()?, between: between.into(), end: end.into() })
    }

    /// A class for each of n samples, as often as among the training rows; none where the model is told none.
    fn draw_classes(&self, n: usize, rng: &mut Rng) -> Vec<usize> {
        let shares = self.constants("classShares");
        let mut draw = || {
            let mut rest = rng.uniform();
            let found = shares.iter().position(|share| {
                rest -= share;
                rest < 0.0
            });
            found.unwrap_or(shares.len().saturating_sub(1))
        };
        (0..if shares.is_empty() { 0 } else { n }).map(|_| draw()).collect()
    }

    /// Rows with their class beside them: 1 in the class's place, 0 in the others.
    fn beside(&self, rows: &Tensor, labels: &[usize]) -> Result<Tensor> {
        let (n, classes) = (rows.dim(0)?, self.constants("classShares").len());
        if classes == 0 {
            return Ok(rows.clone());
        }
        let mut places = vec![0_f32; n * classes];
        for (row, label) in places.chunks_mut(classes).zip(labels) {
            row[*label] = 1.0;
        }
        Ok(Tensor::cat(&[rows, &Tensor::from_vec(places, (n, classes), &Device::Cpu)?], 1)?)
    }

    /// Rows as CSV; words as lines.
    fn write(&self, path: &str, rows: &Tensor) -> Result<()> {
        let rows = rows.to_vec2::<f32>()?;
        let mut lines = Vec::with_capacity(rows.len() + 1);
        if self.domain() == "sequences" {
            let letters: Vec<char> = self.data["alphabet"].as_str().unwrap_or_default().chars().collect();
            let letter = |token: &f32| letters.get((*token as usize).checked_sub(1)?).copied();
            lines.extend(rows.iter().map(|row| row.iter().filter_map(letter).collect::<String>()));
        } else {
            let name = if self.domain() == "images" { "pixel" } else { "x" };
            lines.push((1..=self.size()).map(|i| format!("{name}{i}")).collect::<Vec<_>>().join(","));
            lines.extend(rows.iter().map(|row| row.iter().map(f32::to_string).collect::<Vec<_>>().join(",")));
        }
        Ok(std::fs::write(path, lines.join("\n") + "\n")?)
    }
}

struct Layers {
    layers: Vec<Linear>,
    between: String,
    end: String,
}

impl Layers {
    fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let mut xs = xs.contiguous()?;
        for (i, layer) in self.layers.iter().enumerate() {
            let last = i + 1 == self.layers.len();
            xs = activation(if last { &self.end } else { &self.between }, &layer.forward(&xs)?)?;
        }
        Ok(xs)
    }
}

/// The nonlinearity of this name.
fn activation(name: &str, xs: &Tensor) -> Result<Tensor> {
    Ok(match name {
        "relu" => xs.relu()?,
        "leakyRelu" => candle_nn::ops::leaky_relu(xs, 0.2)?,
        "tanh" => xs.tanh()?,
        "silu" => xs.silu()?,
        "gelu" => xs.gelu()?,
        "elu" => xs.elu(1.0)?,
        "softplus" => (xs.relu()? + (xs.abs()?.neg()?.exp()? + 1.0)?.log()?)?,
        "sigmoid" => candle_nn::ops::sigmoid(xs)?,
        "linear" => xs.clone(),
        other => return Err(format!("there is no activation {other}").into()),
    })
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("give a file of weights, and how many samples to draw if you like")?;
    let file = File::read(&path)?;
    let usual = if file.domain() == "points" { 2000 } else { 100 };
    let n = arguments.next().map_or(Ok(usual), |n| n.parse())?;
    // The page draws its samples from this stream: the same noise gives the same samples.
    let rows = sample(&file, n, &mut Rng::stream(file.number("seed")? as u32, "views"))?;
    file.write("samples.csv", &rows)?;
    println!("wrote {n} samples to samples.csv");
    Ok(())
}
