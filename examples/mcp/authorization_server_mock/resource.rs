//! What a token is for (RFC 8707).

use super::answer::Refusal;
use super::options::Options;
use super::parameters::Parameters;

/// More than any client asks for at once.
const MAX: usize = 8;

/// The resources that are asked for, or if none are, the first that the server is set up for:
/// tokens always have an audience (RFC 9068 §2.2).
pub(super) fn asked(parameters: &Parameters, options: &Options) -> Result<Vec<String>, Refusal> {
    let mut resources: Vec<_> = parameters.all("resource").take(MAX + 1).collect();
    if resources.is_empty() {
        resources.extend(options.resources.first().map(String::as_str));
    }
    if resources.is_empty() || resources.len() > MAX {
        return Err(Refusal::new("invalid_target", "say for which resource, and not for many"));
    }
    if !resources.iter().all(|resource| is_known(resource, options)) {
        return Err(Refusal::new("invalid_target", "there is no such resource"));
    }
    Ok(resources.into_iter().map(str::to_owned).collect())
}

/// Those of `granted` that are asked for; all if none are (§2.2).
pub(super) fn narrowed(
    parameters: &Parameters,
    granted: &[String],
) -> Result<Vec<String>, Refusal> {
    let asked: Vec<_> = parameters.all("resource").map(str::to_owned).collect();
    if !asked.iter().all(|resource| granted.contains(resource)) {
        return Err(Refusal::new("invalid_target", "the grant is not for that resource"));
    }
    Ok(if asked.is_empty() { granted.to_vec() } else { asked })
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
