//! One JSON array, taken apart.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Malformed;

/// The texts of the elements, as many as [`MAX_ELEMENTS`]. What is in them is not looked at, save
/// that it is JSON.
pub(crate) fn array(text: &str) -> Result<Vec<&str>, Malformed> {
    let Elements(elements) = serde_json::from_str(text).map_err(|_| Malformed)?;
    Ok(elements)
}

const MAX_ELEMENTS: usize = 256;

struct Elements<'a>(Vec<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ElementsVisitor).map(Elements)
    }
}

struct ElementsVisitor;

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Vec<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = array.next_element::<&'de RawValue>()? {
            if elements.len() == MAX_ELEMENTS {
                return Err(serde::de::Error::custom("too many elements"));
            }
            elements.push(element.get());
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_what_stands_between_the_commas() {
        assert_eq!(array("[]"), Ok(vec![]));
        assert_eq!(
            array(r#" [ {"a":[1,2]} ,"],", 3 ] "#),
            Ok(vec![r#"{"a":[1,2]}"#, r#""],""#, "3"])
        );
        for text in ["", "{}", "[", "[1", "[1,]", "[1]x", "[1 2]", "\u{feff}[]"] {
            assert_eq!(array(text), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn their_number_is_bounded() {
        let of = |count| format!("[{}]", vec!["0"; count].join(","));
        assert!(array(&of(MAX_ELEMENTS)).is_ok());
        assert!(array(&of(MAX_ELEMENTS + 1)).is_err());
    }
}
