//! The native command line: the same sessions and the same settings as the page.

mod cli {
    pub mod experiment;
    pub mod output;
    pub mod picture;
    pub mod progress;
    pub mod report;
    pub mod report_tables;
    pub mod score;
    pub mod train;
    mod trained;
    pub mod view;
}

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Trains small generative models; the page's sessions, without the page.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Trains a model and writes the files that the page writes, too.
    Train(cli::train::Options),
    /// Trains a model and prints its scores beside those of real rows.
    Score(cli::score::Options),
    /// Trains a model and prints what the page draws of it, as JSON.
    View(cli::view::Options),
    /// Trains and scores every model on every data set that it takes; writes bench/report.md, bench/report.csv and the README's table.
    Report(cli::report::Options),
    /// Prints everything that there is to choose, as JSON.
    Catalog,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Train(options) => cli::train::run(&options),
        Command::Score(options) => cli::score::run(&options),
        Command::View(options) => cli::view::run(&options),
        Command::Report(options) => cli::report::run(&options),
        Command::Catalog => {
            println!("{}", tealight::catalog::catalog());
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
