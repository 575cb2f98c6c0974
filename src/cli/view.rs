//! `tealight view`: the numbers that the page draws, for other programs.

use std::error::Error;

use clap::Args;
use tealight::{catalog, frame};

use super::trained::Run;

/// What to train and look at.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    run: Run,
    /// The views, as the page asks for them: '[{"id":"density","grid":64},{"id":"losses"}]'.
    views: String,
}

/// Trains and prints.
pub fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    // What cannot be asked is said before the work.
    let requests = catalog::read_requests(&options.views)?;
    let session = options.run.session()?;
    let (sections, values) = frame::prepare(&session, &requests)?;
    let (info, layout) = (catalog::info(&session), catalog::sections(&sections, values.len()));
    println!(r#"{{"info":{info},"layout":{layout},"values":[{}]}}"#, list(&values));
    Ok(())
}

/// Numbers as JSON has them: what is none is null.
fn list(values: &[f32]) -> String {
    let text = |x: &f32| if x.is_finite() { x.to_string() } else { "null".into() };
    values.iter().map(text).collect::<Vec<_>>().join(",")
}
