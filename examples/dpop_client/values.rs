//! What flags may say.

pub(crate) fn plain_http(url: &str) -> Result<String, String> {
    let uri = url.parse::<http::Uri>().map_err(|error| error.to_string())?;
    let good = uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| !host.is_empty());
    if good { Ok(url.to_owned()) } else { Err("this client speaks plain http only".to_owned()) }
}

/// `scope` goes into a form as it is but for its spaces (RFC 6749 §3.3 has more characters).
pub(crate) fn scopes(text: &str) -> Result<String, String> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b" -._~/:".contains(&byte);
    let good = text.bytes().all(fine);
    if good { Ok(text.to_owned()) } else { Err("use letters, digits and -._~/:".to_owned()) }
}
