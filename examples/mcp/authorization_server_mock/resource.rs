//! What a token is for (RFC 8707).

use super::answer::Refusal;
use super::options::Options;
use super::parameters::Parameters;

/// More than any client asks for at once.
const MAX: usize = 8;

/// The resources that are asked for, or if none are, the first that the server is set up for:
/// tokens always have an audience (RFC 9068 §2.2).
pub(super) fn asked(parameters: &Parameters, options: &Options) -> Result<Vec<String>, Refusal> {
    let mut resources = named(parameters);
    if resources.is_empty() {
        resources.extend(options.resources.first().map(String::as_str));
    }
    if resources.is_empty() || resources.len() > MAX {
        return Err(invalid("say for which resource, and not for many"));
    }
    if !resources.iter().all(|resource| is_known(resource, options)) {
        return Err(invalid("there is no such resource"));
    }
    Ok(resources.into_iter().map(str::to_owned).collect())
}

/// Those of `granted` that are asked for; all if none are (§2.2).
pub(super) fn narrowed(
    parameters: &Parameters,
    granted: &[String],
) -> Result<Vec<String>, Refusal> {
    let asked = named(parameters);
    if !asked.iter().all(|resource| granted.iter().any(|own| own == resource)) {
        return Err(invalid("the grant is not for that resource"));
    }
    if asked.is_empty() {
        return Ok(granted.to_vec());
    }
    Ok(asked.into_iter().map(str::to_owned).collect())
}

/// Each once, and one more than there may be at most.
fn named(parameters: &Parameters) -> Vec<&str> {
    let mut resources = Vec::new();
    for resource in parameters.all("resource") {
        if resources.len() <= MAX && !resources.contains(&resource) {
            resources.push(resource);
        }
    }
    resources
}

const fn invalid(description: &'static str) -> Refusal {
    Refusal::new("invalid_target", description)
}

fn is_known(resource: &str, options: &Options) -> bool {
    let listed =
        options.resources.is_empty() || options.resources.iter().any(|own| own == resource);
    listed && is_uri(resource)
}

/// An absolute URI without fragment (§2).
pub(super) fn is_uri(text: &str) -> bool {
    let absolute = text.starts_with("https://") || text.starts_with("http://");
    absolute && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}
