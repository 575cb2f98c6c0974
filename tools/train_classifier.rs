//! Trains the small classifier of images that scores are computed with, and writes `src/metrics/classifier.bin`.
//!
//! ```sh
//! cargo run --example train-classifier             # trains, writes, and says how often it is right
//! cargo run --example train-classifier -- --check  # says how often the one that is there is right
//! ```
//!
//! It sees the training rows of the digits, and rows of the drawn sets at many of their settings, all of them moved,
//! turned, stretched and blurred by noise a little. What is held out of the digits (the last 360, of other writers)
//! it never sees. Same build, same bytes.

use std::error::Error;

use candle_core::Tensor;
use tealight::data::{self, Data, Split, Topic};
use tealight::metrics::classifier::{
    Classifier, FEATURES, LEVELS, NETWORKS, Network, SIDE, WIDTHS, resample,
};
use tealight::models::matrix;
use tealight::nn::schedule::Decay;
use tealight::nn::{Activation, ConvEncoder, Init, Linear, Optimizer, OptimizerKind, Vars, gradients, ops};
use tealight::params::Value;
use tealight::rng::Rng;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const STEPS: u64 = 8_000;
const RATE: f64 = 3e-3;
/// Rows of each topic in a step.
const BATCH: usize = 64;
/// Steps after which the drawn rows are others.
const FRESH: u64 = 400;

/// Settings of a data set, as text.
type Settings<'a> = &'a [(&'a str, &'a str)];

fn make(id: &str, settings: Settings, seed: u32) -> Result<Data> {
    let values: Vec<(String, Value)> = settings
        .iter()
        .map(|(key, text)| {
            let value = match (text.parse::<f64>(), *text) {
                (Ok(x), _) => Value::Number(x),
                (_, "true") => Value::Flag(true),
                (_, text) => Value::Text(text.into()),
            };
            (key.to_string(), value)
        })
        .collect();
    Ok((data::find(id)?.generate)(&values, seed)?)
}

/// Small images with a label for each of some topics.
#[derive(Default)]
struct Pool {
    xs: Vec<f32>,
    /// For each topic, one label an image.
    labels: Vec<Vec<u32>>,
}

impl Pool {
    fn add(&mut self, sets: &[Data]) -> Result<()> {
        self.labels.resize(sets.len(), Vec::new());
        for (labels, data) in self.labels.iter_mut().zip(sets) {
            labels.extend(data.train.labels.iter().flatten());
        }
        let first = sets.first().ok_or("no data")?;
        self.xs.extend(resample(&first.train.xs, &first.shape, SIDE).ok_or("no images")?);
        Ok(())
    }

    /// Images drawn at random, moved a little, and which they are.
    fn draw(&self, n: usize, channels: usize, reach: f64, rng: &mut Rng) -> (Vec<f32>, Vec<usize>) {
        let size = channels * SIDE * SIDE;
        let mut xs = Vec::with_capacity(n * size);
        let rows: Vec<usize> = (0..n).map(|_| rng.below((self.xs.len() / size) as u32) as usize).collect();
        for row in &rows {
            xs.extend(moved(&self.xs[row * size..(row + 1) * size], reach, rng));
        }
        (xs, rows)
    }
}

/// An image shifted, turned and stretched at random, up to `reach` as far as can be borne, with some noise.
fn moved(image: &[f32], reach: f64, rng: &mut Rng) -> Vec<f32> {
    let mut vary = |most: f64| reach * most * (2.0 * rng.uniform_f64() - 1.0);
    let (angle, wide, high, lean) = (vary(0.18), 1.0 + vary(0.12), 1.0 + vary(0.12), vary(0.12));
    let (dx, dy, light) = (vary(1.0), vary(1.0), 1.0 + vary(0.15));
    let noise = vary(0.08).abs();
    let (sin, cos) = angle.sin_cos();
    let middle = 0.5 * (SIDE as f64 - 1.0);
    let mut out = Vec::with_capacity(image.len());
    for plane in image.chunks_exact(SIDE * SIDE) {
        let at = |row: f64, column: f64| {
            let inside = |x: f64| (0.0..SIDE as f64).contains(&x);
            // Beyond the edge it goes on as at the edge.
            let pin = |x: f64| {
                if inside(x) {
                    x as usize
                } else if x < 0.0 {
                    0
                } else {
                    SIDE - 1
                }
            };
            f64::from(plane[pin(row) * SIDE + pin(column)])
        };
        for i in 0..SIDE * SIDE {
            let (y, x) = ((i / SIDE) as f64 - middle, (i % SIDE) as f64 - middle);
            let (u, v) = (
                wide * (cos * x - sin * y) + lean * y + middle + dx,
                high * (sin * x + cos * y) + middle + dy,
            );
            let (left, top) = (u.floor(), v.floor());
            let (s, t) = (u - left, v - top);
            let value = (1.0 - t) * ((1.0 - s) * at(top, left) + s * at(top, left + 1.0))
                + t * ((1.0 - s) * at(top + 1.0, left) + s * at(top + 1.0, left + 1.0));
            out.push((light * value + noise * rng.normal_f64()) as f32);
        }
    }
    out
}

/// What each topic of a network is learned from, drawn with this seed. Topics in one pool have the same images.
fn pools(network: &Network, seed: u32) -> Result<Vec<(Pool, Vec<usize>)>> {
    if network.channels == 3 {
        let mut faces = Pool::default();
        for (i, size) in ["12", "14", "16", "20", "24", "28"].into_iter().enumerate() {
            let by = |label| {
                make("faces", &[("size", size), ("samples", "500"), ("labelBy", label)], seed + i as u32)
            };
            faces.add(&[by("expression")?, by("hair")?, by("skin")?])?;
        }
        return Ok(vec![(faces, vec![0, 1, 2])]);
    }
    let (mut digits, mut strokes, mut shapes) = (Pool::default(), Pool::default(), Pool::default());
    digits.add(&[make("digits", &[], 0)?])?;
    digits.add(&[make("digits", &[("binarize", "true")], 0)?])?;
    for (i, size) in ["8", "10", "12", "14", "16", "16", "20", "28"].into_iter().enumerate() {
        let seed = seed + i as u32;
        for (variety, binarize) in [("0.6", "0"), ("1", "0"), ("1.5", "0"), ("2", "0"), ("1", "true")] {
            let mut settings = vec![("size", size), ("samples", "150"), ("variety", variety)];
            if binarize == "true" {
                settings.push(("binarize", "true"));
            }
            strokes.add(&[make("strokes", &settings, seed)?])?;
        }
        for (fill, rotation) in [("filled", "20"), ("filled", "180"), ("both", "20"), ("both", "180")] {
            let settings = [("size", size), ("samples", "200"), ("fill", fill), ("rotation", rotation)];
            shapes.add(&[make("shapes", &settings, seed)?])?;
        }
    }
    Ok(vec![(digits, vec![0]), (strokes, vec![0]), (shapes, vec![1])])
}

/// Trains one network; its bytes.
fn train(network: &Network) -> Result<Vec<u8>> {
    let mut rng = Rng::stream(7, "init");
    let mut vars = Vars::new();
    let image = [network.channels, SIDE, SIDE];
    let encoder =
        ConvEncoder::new(&mut vars, "conv", image, &WIDTHS, Activation::Relu, Init::HeNormal, &mut rng)?;
    let dense = Linear::new(&mut vars, "dense", encoder.features(), FEATURES, Init::HeNormal, &mut rng)?;
    let mut heads = Vec::new();
    for (i, (_, classes)) in network.topics.iter().enumerate() {
        heads.push(Linear::new(
            &mut vars,
            &format!("head.{i}"),
            FEATURES,
            *classes,
            Init::HeNormal,
            &mut rng,
        )?);
    }
    let mut optimizer = Optimizer::new(OptimizerKind::adam(0.9), &vars);
    let mut rng = Rng::stream(7, "batches");
    let mut sources = Vec::new();
    let mut mean = 0.0;
    for step in 0..STEPS {
        if step % FRESH == 0 {
            sources = pools(network, 1000 + 16 * (step / FRESH) as u32)?;
        }
        let mut loss: Option<Tensor> = None;
        for (pool, topics) in &sources {
            let reach = if topics == &[0] { 1.0 } else { 0.5 };
            let (xs, rows) = pool.draw(BATCH, network.channels, reach, &mut rng);
            let features = encoder.forward(&matrix(xs, BATCH, network.channels * SIDE * SIDE)?)?;
            let features = dense.forward_act(&features, Activation::Relu)?;
            for (topic, labels) in topics.iter().zip(&pool.labels) {
                let targets: Vec<u32> = rows.iter().map(|row| labels[*row]).collect();
                let weights = vec![1.0 / BATCH as f32; targets.len()];
                let term = ops::cross_entropy(&heads[*topic].forward(&features)?, &targets, &weights)?;
                loss = Some(match loss {
                    Some(sum) => (sum + term)?,
                    None => term,
                });
            }
        }
        let loss = loss.ok_or("nothing to learn")?;
        mean += 0.002 * (f64::from(loss.to_scalar::<f32>()?) - mean);
        let rate = RATE * Decay::Cosine.factor(step, STEPS);
        let _ = optimizer.step(&vars, &gradients(&loss)?, rate)?;
        if (step + 1) % 1000 == 0 {
            println!("{} channels, step {}: loss {mean:.4}", network.channels, step + 1);
        }
    }
    let mut bytes = Vec::new();
    let mut write = |tensors: &[&Tensor]| -> Result<()> {
        let mut values = Vec::new();
        for tensor in tensors {
            values.extend(tensor.detach().flatten_all()?.to_vec1::<f32>()?);
        }
        let most = values.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let scale = most / LEVELS;
        bytes.extend(scale.to_le_bytes());
        bytes.extend(values.iter().map(|x| (x / scale).round() as i8 as u8));
        Ok(())
    };
    let bias = |layer: &Linear| layer.bias.clone().ok_or("no bias");
    for layer in &encoder.layers {
        write(&[&layer.weight])?;
        write(&[layer.bias.as_ref().ok_or("no bias")?])?;
    }
    write(&[&dense.weight])?;
    write(&[&bias(&dense)?])?;
    write(&heads.iter().map(|head| &head.weight).collect::<Vec<_>>())?;
    let biases: Vec<Tensor> = heads.iter().map(bias).collect::<std::result::Result<_, _>>()?;
    write(&biases.iter().collect::<Vec<_>>())?;
    Ok(bytes)
}

/// How often the classifier is right about held-out rows.
fn accuracy(bytes: &[u8], id: &str, settings: Settings) -> Result<f64> {
    let data = make(id, settings, 42)?;
    let topic: Topic = data.topic.ok_or("no topic")?;
    let classifier = Classifier::from_bytes(bytes, topic, &data.shape).ok_or("these are no weights")?;
    let Split { xs, labels } = &data.held_out;
    let judged = classifier.judge(xs).ok_or("no images")?.labels();
    let right = judged.iter().zip(labels.iter().flatten()).filter(|(a, b)| a == b).count();
    Ok(right as f64 / judged.len() as f64)
}

fn main() -> Result<()> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/metrics/classifier.bin");
    let bytes = if std::env::args().any(|arg| arg == "--check") {
        std::fs::read(file)?
    } else {
        let mut bytes = Vec::new();
        std::thread::scope(|scope| -> Result<()> {
            let trained = NETWORKS
                .each_ref()
                .map(|network| scope.spawn(move || train(network).map_err(|error| error.to_string())));
            for network in trained {
                bytes.extend(network.join().map_err(|_| "a thread failed")??);
            }
            Ok(())
        })?;
        std::fs::write(file, &bytes)?;
        bytes
    };
    println!("{} bytes", bytes.len());
    let cases: &[(&str, Settings)] = &[
        ("digits", &[]),
        ("digits", &[("binarize", "true")]),
        ("strokes", &[]),
        ("strokes", &[("binarize", "true")]),
        ("strokes", &[("size", "8")]),
        ("strokes", &[("size", "28")]),
        ("strokes", &[("variety", "2")]),
        ("shapes", &[]),
        ("shapes", &[("fill", "both")]),
        ("shapes", &[("rotation", "180")]),
        ("shapes", &[("size", "8")]),
        ("shapes", &[("size", "28")]),
        ("faces", &[]),
        ("faces", &[("labelBy", "hair")]),
        ("faces", &[("labelBy", "skin")]),
        ("faces", &[("size", "12")]),
        ("faces", &[("size", "28")]),
    ];
    for (id, settings) in cases {
        let text: Vec<String> = settings.iter().map(|(key, value)| format!("{key} {value}")).collect();
        println!("{id:8} {:18} {:.1} %", text.join(", "), 100.0 * accuracy(&bytes, id, settings)?);
    }
    Ok(())
}
