//! The run as a picture: throughput above, the longest latency of each stretch below.

use std::path::Path;

use plotters::prelude::*;

use super::measure::Sample;
use super::report::Report;

/// Draws the run into an SVG file.
///
/// # Errors
/// If the file cannot be written.
pub fn draw(path: &Path, report: &Report) -> anyhow::Result<()> {
    let samples = &report.measured.samples;
    let root = SVGBackend::new(path, (960, 540)).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!(
        "{} · {} transfers/s · p99 {} µs · every answer durable",
        report.target, report.measured.transfers_per_s as u64, report.measured.p99_us
    );
    let (upper, lower) = root.titled(&title, ("sans-serif", 20))?.split_vertically(300);
    series(&upper, samples, "transfers/s", &BLUE, |sample| sample.per_second)?;
    series(&lower, samples, "longest answer, ms", &RED, |sample| sample.max_ms)?;
    root.present()?;
    Ok(())
}

fn series(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    samples: &[Sample],
    name: &str,
    colour: &RGBColor,
    value: impl Fn(&Sample) -> f64,
) -> anyhow::Result<()> {
    let end = samples.last().map_or(1.0, |sample| sample.at).max(0.1);
    let top = samples.iter().map(&value).fold(1.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(84)
        .build_cartesian_2d(0.0..end, 0.0..top)?;
    chart.configure_mesh().light_line_style(WHITE).x_desc("seconds").y_desc(name).draw()?;
    let points = samples.iter().map(|sample| (sample.at, value(sample)));
    chart.draw_series(LineSeries::new(points, colour))?;
    Ok(())
}
