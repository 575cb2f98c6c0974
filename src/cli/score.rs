//! `tealight score`: a table of all scores, with what real rows score beside them.

use std::error::Error;
use std::time::Instant;

use clap::Args;
use tealight::catalog;
use tealight::evaluation::{Evaluated, Evaluator};

use super::trained::Run;

/// What to train and score.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    run: Run,
    /// Print what the page gets, as JSON.
    #[arg(long)]
    json: bool,
}

/// Trains and prints.
pub fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let session = options.run.session()?;
    let start = Instant::now();
    let evaluated = Evaluator::new().evaluate(&session)?;
    if options.json {
        println!("{}", catalog::evaluated_json(Some(&evaluated)));
        return Ok(());
    }
    print!("{}", table(&evaluated));
    println!("computed in {:.2} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// The scores and the findings as text.
fn table(evaluated: &Evaluated) -> String {
    let mut text = format!("{:20} {:>10} {:>10} {:>10}\n", "score", "value", "floor", "optimum");
    for score in &evaluated.scores {
        let number = |x: Option<f64>| x.map_or("–".into(), |x| format!("{x:.4}"));
        let by = score.by.map_or(String::new(), |by| format!("  {}", by.id()));
        let (value, floor, optimum) = (number(Some(score.value)), number(score.floor), number(score.optimum));
        text += &format!("{:20} {value:>10} {floor:>10} {optimum:>10}{by}\n", score.id);
    }
    for finding in &evaluated.findings {
        let values: Vec<_> = finding.values.iter().map(|(key, value)| format!("{key} {value:.4}")).collect();
        text += &format!("found: {} ({})\n", finding.id, values.join(", "));
    }
    text
}
