//! What a figure may be, and whether it is.

use std::fmt::{self, Display, Formatter};

#[derive(Clone, Copy)]
pub(crate) enum Budget {
    /// There is none: the figure is there to be known.
    None,
    AtMost(f64),
    AtLeast(f64),
    Exactly(f64),
}

pub(crate) enum Verdict {
    NotJudged,
    Met,
    /// By so much.
    Missed(f64),
}

impl Budget {
    pub(crate) fn at_most(figure: Option<f64>) -> Self {
        figure.map_or(Self::None, Self::AtMost)
    }

    pub(crate) fn judge(self, figure: f64) -> Verdict {
        let over = match self {
            Self::None => return Verdict::NotJudged,
            Self::AtMost(most) => figure - most,
            Self::AtLeast(least) => least - figure,
            Self::Exactly(demanded) => (figure - demanded).abs(),
        };
        if over <= 0.0 { Verdict::Met } else { Verdict::Missed(over) }
    }
}

impl Display for Budget {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::AtMost(most) => write!(f, "≤ {}", (most * 1e3).round() / 1e3),
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::Exactly(demanded) => write!(f, "= {demanded}"),
        }
    }
}
