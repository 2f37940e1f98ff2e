//! From a figure to an SVG file that is readable on any page: it brings its own background.

use std::error::Error;
use std::fs;
use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::axis::Ruler;
use crate::figure::{Figure, Limit, Panel, Series};

type Area<'s> = DrawingArea<SVGBackend<'s>, Shift>;
type Chart<'s> = ChartContext<'s, SVGBackend<'s>, Cartesian2d<Ruler, Ruler>>;
type Drawn = Result<(), Box<dyn Error>>;

const PAPER: RGBColor = RGBColor(255, 255, 255);
const FRAME: RGBColor = RGBColor(208, 215, 222);
const INK: RGBColor = RGBColor(31, 35, 40);
const FAINT: RGBColor = RGBColor(89, 99, 110);
const MESH: RGBColor = RGBColor(234, 238, 242);
const LIMIT: RGBColor = RGBColor(207, 34, 46);
/// Told apart by people who see colours differently too (after Okabe and Ito).
const LINES: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(170, 68, 153),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];
const FONT: &str = "Helvetica, Arial, sans-serif";
const LEGEND_ROW: i32 = 20;

/// Writes the file, in a directory that need not be there yet.
pub(crate) fn write(figure: &Figure, caption: &str, path: &Path) {
    let directory = path.parent().expect("the path of a file");
    fs::create_dir_all(directory).expect("a directory for plots");
    let mut text = String::new();
    draw(figure, caption, &mut text).expect("a string takes all that is drawn");
    fs::write(path, text).expect("a plot can be written");
}

fn draw(figure: &Figure, caption: &str, text: &mut String) -> Drawn {
    let size = if figure.panels.len() > 1 { (920, 460) } else { (760, 460) };
    let root = SVGBackend::with_string(text, size).into_drawing_area();
    let (right, bottom) = (i32::try_from(size.0)? - 1, i32::try_from(size.1)? - 1);
    root.draw(&Rectangle::new([(0, 0), (right, bottom)], PAPER.filled()))?;
    root.draw(&Rectangle::new([(0, 0), (right, bottom)], FRAME))?;
    root.draw(&Text::new(figure.title, (16, 12), font(22, INK)))?;
    root.draw(&Text::new(figure.note.as_str(), (16, bottom - 38), font(14, FAINT)))?;
    root.draw(&Text::new(caption, (16, bottom - 20), font(14, FAINT)))?;
    let panels = root.margin(44, 44, 16, 16).split_evenly((1, figure.panels.len()));
    for (area, panel) in panels.iter().zip(&figure.panels) {
        draw_panel(area, panel)?;
    }
    root.present()?;
    Ok(())
}

fn font(size: u32, color: RGBColor) -> TextStyle<'static> {
    (FONT, size).into_font().color(&color)
}

fn draw_panel(area: &Area<'_>, panel: &Panel) -> Drawn {
    let rows = legend(area, panel)?;
    let limits = panel.limits.iter().map(|limit| limit.at);
    let heights = panel.points().map(|(_, y)| y).chain(limits);
    let x = Ruler::at_each(panel.x.scale, panel.places());
    let across = x.range();
    let mut chart = ChartBuilder::on(area)
        .margin_top(rows * LEGEND_ROW + 8)
        .margin_right(12)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(x, Ruler::around(panel.y.scale, heights))?;
    chart
        .configure_mesh()
        .axis_style(FAINT)
        .bold_line_style(MESH)
        .label_style(font(15, INK))
        .axis_desc_style(font(16, INK))
        .x_desc(panel.x.label)
        .y_desc(panel.y.label)
        .draw()?;
    for limit in &panel.limits {
        draw_limit(&mut chart, limit, &across)?;
    }
    for (series, color) in panel.series.iter().zip(colors(panel)) {
        draw_line(&mut chart, series, color)?;
    }
    Ok(())
}

fn draw_line(chart: &mut Chart<'_>, series: &Series, color: RGBColor) -> Drawn {
    let points = series.points.iter().copied();
    chart.draw_series(LineSeries::new(points.clone(), color.stroke_width(2)))?;
    chart.draw_series(points.map(|point| Circle::new(point, 3, color.filled())))?;
    Ok(())
}

/// A dashed line across, and what it stands for at its right end, on the side where nothing should
/// be.
fn draw_limit(chart: &mut Chart<'_>, limit: &Limit, across: &Range<f64>) -> Drawn {
    let ends = [(across.start, limit.at), (across.end, limit.at)];
    chart.draw_series(DashedLineSeries::new(ends, 6, 4, LIMIT.stroke_width(1)))?;
    let side = if limit.is_least { VPos::Top } else { VPos::Bottom };
    let style = font(14, LIMIT).pos(Pos::new(HPos::Right, side));
    chart.draw_series([Text::new(limit.name.clone(), ends[1], style)])?;
    Ok(())
}

/// One for each series; what is only compared with is grey.
fn colors(panel: &Panel) -> impl Iterator<Item = RGBColor> {
    let mut next = LINES.into_iter().cycle();
    let color = move |series: &Series| match series.is_reference {
        true => FAINT,
        false => next.next().unwrap_or(INK),
    };
    panel.series.iter().map(color)
}

/// Draws it from the top, in as many rows as it needs, and tells how many.
fn legend(area: &Area<'_>, panel: &Panel) -> Result<i32, Box<dyn Error>> {
    let width = i32::try_from(area.dim_in_pixel().0)?;
    let (mut left, mut row) = (0, 0);
    for (series, color) in panel.series.iter().zip(colors(panel)) {
        let needed = 44 + i32::try_from(series.name.chars().count())? * 13 / 2;
        if left > 0 && left + needed > width {
            (left, row) = (0, row + 1);
        }
        let middle = row * LEGEND_ROW + 8;
        let swatch = vec![(left, middle), (left + 22, middle)];
        area.draw(&PathElement::new(swatch, color.stroke_width(2)))?;
        area.draw(&Circle::new((left + 11, middle), 3, color.filled()))?;
        let style = font(15, INK).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(series.name, (left + 28, middle), style))?;
        left += needed;
    }
    Ok(row + 1)
}
