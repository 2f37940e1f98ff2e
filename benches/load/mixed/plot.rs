//! The mixed run as a picture: answers a second, and the slowest of a hundred.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::class::Class;
use super::series::Series;
use crate::plan::Mixed;

const SIZE: (u32, u32) = (900, 560);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// One line over the seconds of the run.
struct Panel<'a> {
    caption: &'a str,
    unit: &'a str,
    colour: RGBColor,
    values: Vec<f64>,
}

pub(crate) fn draw(file: &Path, series: &Series, plan: Mixed) -> Result<(), Box<dyn Error>> {
    let second =
        |second| series.of(|noted| noted.second == second && noted.class != Class::Stranger);
    let seconds: Vec<_> = (0..plan.seconds).map(second).collect();
    let count = |count: u64| u32::try_from(count).map_or(f64::INFINITY, f64::from);
    let rate = seconds.iter().map(|part| count(part.count()) / 1e3).collect();
    let slow = seconds.iter().map(|part| part.spread().p99 / 1e3).collect();
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (upper, lower) = root.split_vertically(SIZE.1 / 2);
    let caption = "Mixed traffic, axum, HTTP/1.1, one core: answers a second";
    let panel = Panel { caption, unit: "thousands", colour: RGBColor(31, 90, 160), values: rate };
    panel.draw(&upper, plan)?;
    let caption = "Latency of the slowest of a hundred (p99)";
    let panel = Panel { caption, unit: "ms", colour: RGBColor(176, 58, 46), values: slow };
    panel.draw(&lower, plan)?;
    root.present()?;
    Ok(())
}

impl Panel<'_> {
    fn draw(&self, area: &Area<'_>, plan: Mixed) -> Result<(), Box<dyn Error>> {
        let top = self.values.iter().copied().fold(0.0, f64::max) * 1.25;
        let mut chart = ChartBuilder::on(area)
            .caption(self.caption, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(34)
            .y_label_area_size(58)
            .build_cartesian_2d(0..plan.seconds, 0.0..top)?;
        let mesh_style = RGBColor(225, 225, 225);
        chart
            .configure_mesh()
            .x_desc("seconds")
            .y_desc(self.unit)
            .light_line_style(TRANSPARENT)
            .bold_line_style(mesh_style)
            .draw()?;
        for (second, text) in [(plan.rotation, "new key"), (plan.outage, "second issuer silent")] {
            let style = BLACK.mix(0.5);
            chart.draw_series(LineSeries::new([(second, 0.0), (second, top)], style))?;
            let place = (second, top * 0.97);
            chart.plotting_area().draw(&Text::new(
                format!(" {text}"),
                place,
                ("sans-serif", 14),
            ))?;
        }
        let points = (0..).zip(self.values.iter().copied());
        chart.draw_series(LineSeries::new(points, self.colour.stroke_width(2)))?;
        Ok(())
    }
}
