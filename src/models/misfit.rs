//! Why a model does not take some data.

use crate::data::Shape;

/// Why a model does not take data of some shape; the id of a sentence in the page's texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// Another kind of data.
    Domain,
    /// More or fewer than two coordinates.
    Plane,
    /// Too many values a row.
    Large,
    /// More than one colour channel.
    Colour,
    /// Labels are missing.
    Labels,
}

impl Misfit {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::Domain, Self::Plane, Self::Large, Self::Colour, Self::Labels];

    /// What keeps a model from images that is for at most `most` pixels of one channel.
    pub fn of_grey_images(shape: &Shape, most: usize) -> Option<Self> {
        match shape {
            shape if shape.channels > 1 => Some(Self::Colour),
            shape if shape.size() > most => Some(Self::Large),
            _ => None,
        }
    }

    /// The id in the catalogue.
    pub fn id(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Plane => "plane",
            Self::Large => "large",
            Self::Colour => "colour",
            Self::Labels => "labels",
        }
    }

    /// The reason in words, for errors.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Domain => "it is for another kind of data",
            Self::Plane => "it is for points of the plane",
            Self::Large => "a row has too many values for it",
            Self::Colour => "it is for images of one channel",
            Self::Labels => "it needs labels",
        }
    }
}
