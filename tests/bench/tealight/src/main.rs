//! The workloads natively. Reads commands, a line each, and answers each with a line:
//! `open <workload> <file of f32>` with `ok`, `run <steps>` with the milliseconds that they took and the last loss.

use std::io::{BufRead, Write};
use std::time::Instant;
use tealight_bench::{Workload, workload};

fn read(file: &str) -> Result<Vec<f32>, String> {
    let bytes = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    Ok(bytes.as_chunks().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())
}

fn answer(line: &str, current: &mut Option<Box<dyn Workload>>) -> Result<String, String> {
    match *line.split_whitespace().collect::<Vec<_>>() {
        ["open", id, file] => {
            *current = Some(workload(id, read(file)?).map_err(|error| error.to_string())?);
            Ok("ok".into())
        }
        ["run", steps] => {
            let current = current.as_mut().ok_or("no workload is open")?;
            let steps: u32 = steps.parse().map_err(|error| format!("{steps}: {error}"))?;
            let (since, mut loss) = (Instant::now(), f32::NAN);
            for _ in 0..steps {
                loss = current.step().map_err(|error| error.to_string())?;
            }
            Ok(format!("{} {loss}", since.elapsed().as_secs_f64() * 1e3))
        }
        _ => Err(format!("not a command: {line}")),
    }
}

fn main() -> std::io::Result<()> {
    let (mut current, mut out) = (None, std::io::stdout());
    for line in std::io::stdin().lock().lines() {
        let answer = answer(&line?, &mut current).unwrap_or_else(|error| format!("error: {error}"));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
