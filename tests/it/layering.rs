//! Who may use whom inside the crate, read off its sources.

use std::fs;
use std::path::{Path, PathBuf};

/// One mention of another module of the crate: where, and `module::item`.
struct Mention {
    file: String,
    path: String,
}

impl Mention {
    /// The room the mention stands in.
    fn from(&self) -> &str {
        room(&self.file)
    }

    /// The room it points to.
    fn to(&self) -> &str {
        self.path.split("::").next().unwrap_or_default()
    }
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

const STAGES: [&str; 4] = ["credentials", "token", "proof", "authorize"];

fn files_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_under(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every source with its path from `src/`: code only, without comments and unit tests.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files_under(&root, &mut paths);
    let mut sources = Vec::new();
    for path in paths {
        let name =
            path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        if !name.ends_with("_tests.rs") && !name.ends_with("/tests.rs") {
            sources.push((name, code(&fs::read_to_string(&path).expect("a source"))));
        }
    }
    assert!(sources.len() > 40, "the sources were found");
    sources
}

fn code(source: &str) -> String {
    let before_tests = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let before_tests = before_tests.split("#[cfg(all(test, ").next().unwrap_or_default();
    let lines = before_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The text from `crate::` to the end of the path, a group in braces included.
fn mentions() -> Vec<Mention> {
    let mut found = Vec::new();
    for (file, code) in sources() {
        for (at, text) in code.match_indices("crate::") {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
                continue;
            }
            let path = path(&code[at + text.len()..]);
            assert!(!path.starts_with('{'), "{file}: one `use` per module, please");
            found.push(Mention { file: file.clone(), path });
        }
    }
    assert!(found.len() > 100, "the mentions were found");
    found
}

fn path(text: &str) -> String {
    let mut depth = 0;
    let end = text.find(|c: char| {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => {
                depth -= 1;
                return false;
            }
            _ => {}
        }
        depth == 0 && !(c.is_alphanumeric() || c == '_' || c == ':')
    });
    text[..end.unwrap_or(text.len())].to_owned()
}

/// Fails with every mention that breaks the rule.
fn forbid(rule: &str, is_wrong: impl Fn(&Mention) -> bool) {
    let wrong: Vec<_> = mentions()
        .into_iter()
        .filter(is_wrong)
        .map(|mention| format!("{}: crate::{}", mention.file, mention.path))
        .collect();
    assert!(wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}

#[test]
fn a_stage_uses_only_the_stages_before_it() {
    let place = |name: &str| STAGES.iter().position(|stage| *stage == name);
    forbid(
        "credentials → token → proof → authorize",
        |mention| matches!((place(mention.from()), place(mention.to())), (Some(own), Some(other)) if other > own),
    );
}

#[test]
fn no_stage_uses_the_layers_or_reaches_around_the_modules() {
    forbid("stages know nothing of the Tower skin", |mention| {
        // Re-exports at the root would get around every other rule here.
        let root_item = mention.to().starts_with(|c: char| c.is_uppercase());
        STAGES.contains(&mention.from()) && (mention.to() == "layer" || root_item)
    });
}

#[test]
fn what_is_proven_depends_neither_on_the_answer_nor_on_what_is_demanded() {
    forbid("proofs are judged before any of these", |mention| {
        let later = ["layer", "authorize", "render", "rejection", "metadata", "server"];
        mention.from() == "proof" && later.contains(&mention.to())
    });
}

#[test]
fn supplies_use_no_stage_and_no_layer() {
    let supplies = [
        "keys",
        "fetch",
        "grpc",
        "json",
        "clock",
        "error",
        "algorithm",
        "base64url",
        "cache_control",
        "charset",
        "cors",
        "field",
        "jws",
        "media_type",
        "observe",
        "random",
        "scheme",
        "tls",
        "uri",
    ];
    forbid("supplies serve the stages", |mention| {
        let above = STAGES.contains(&mention.to())
            || ["layer", "render", "config", "rejection", "server"].contains(&mention.to());
        supplies.contains(&mention.from()) && above
    });
}

#[test]
fn the_leaves_use_nothing() {
    let leaves = [
        "error",
        "clock",
        "algorithm",
        "base64url",
        "cache_control",
        "charset",
        "cors",
        "field",
        "grpc",
        "media_type",
        "random",
        "scheme",
        "tls",
    ];
    for leaf in leaves {
        let own = |(file, _): &(String, String)| room(file) == leaf;
        assert!(sources().iter().any(own), "{leaf} is there");
    }
    forbid("leaves stand on their own", |mention| leaves.contains(&mention.from()));
}

#[test]
fn rendering_and_metadata_use_no_layer() {
    forbid("responses are made below the layers", |mention| {
        let body = mention.from() == "metadata" && mention.path == "layer::ResponseBody";
        ["render", "metadata"].contains(&mention.from()) && mention.to() == "layer" && !body
    });
}

#[test]
fn rendering_uses_no_stage() {
    forbid("a refusal brings along what it needs", |mention| {
        mention.from() == "render" && STAGES.contains(&mention.to())
    });
}

#[test]
fn nothing_but_the_settings_depends_on_mcp() {
    forbid("what is no MCP server has nothing of one", |mention| {
        mention.to() == "mcp" && !["mcp", "config"].contains(&mention.from())
    });
}

#[test]
fn nothing_reaches_around_the_layers() {
    // Tokens and proofs are the layers' to judge; who sent a request is told by its grant.
    let inside = ["credentials", "fetch", "keys", "metadata", "proof", "revocation", "token"];
    forbid("what a token is worth is settled before", |mention| {
        let router = mention.file == "axum.rs" && mention.to() == "metadata";
        let outside = ["axum", "mcp", "tonic"].contains(&mention.from());
        outside && inside.contains(&mention.to()) && !router
    });
}

#[test]
fn what_tools_raise_uses_no_layer() {
    forbid("tools run wherever an SDK calls them", |mention| {
        let layers = ["McpLayer", "RequireTools", "Transport", "Tools"];
        mention.file.starts_with("mcp/errors/")
            && (mention.to() == "layer" || layers.iter().any(|it| mention.path.contains(it)))
    });
}

#[test]
fn nothing_depends_on_an_adapter() {
    forbid("adapters are thin and last", |mention| ["axum", "tonic"].contains(&mention.to()));
}

#[test]
fn nothing_but_tests_depends_on_the_test_kit() {
    forbid("the kit is for tests", |mention| {
        mention.to() == "testing" && mention.from() != "testing"
    });
}

/// Lines outside `allowed` files that hold one of the texts.
fn lines_with(texts: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (file, code) in sources() {
        let hits = code.lines().filter(|line| texts.iter().any(|text| line.contains(text)));
        if !allowed.contains(&file.as_str()) {
            found.extend(hits.map(|line| format!("{file}: {}", line.trim())));
        }
    }
    found
}

#[test]
fn only_the_adapter_names_axum() {
    // The log tells the path from before a nested router strips its prefix, and axum keeps that
    // in an extension of a type of its own.
    let original = "let original = head.extensions().get::<axum::extract::OriginalUri>()";
    let mut lines = lines_with(&["axum::", "use axum"], &["axum.rs"]);
    lines.retain(|line| !line.starts_with(&format!("layer/request.rs: {original}")));
    assert!(lines.is_empty(), "{lines:#?}");
}

#[test]
fn only_the_adapter_names_tonic() {
    // A service that tonic serves looks at the path alone, and is known by the type of its body.
    let body = "type_name::<B>().contains(\"tonic::body::Body\")";
    let mut lines = lines_with(&["tonic::", "use tonic"], &["tonic.rs"]);
    lines.retain(|line| *line != format!("layer/request.rs: {body}"));
    assert!(lines.is_empty(), "{lines:#?}");
}

#[test]
fn only_the_clock_reads_time() {
    // Whether a task is still driven is a question for Tokio's timer, as every time-out is.
    let may = ["clock.rs", "flight.rs"];
    let lines = lines_with(&["SystemTime::now", "Instant::now", "UNIX_EPOCH.elapsed"], &may);
    assert!(lines.is_empty(), "{lines:#?}");
}

#[test]
fn one_place_asks_for_random_bytes() {
    let lines = lines_with(&["getrandom::"], &["random.rs"]);
    assert!(lines.is_empty(), "{lines:#?}");
}

#[test]
fn only_the_layers_and_the_network_wait() {
    // Sans-IO: the stages are plain functions. What is reached over the network stands in folders of
    // its own, and the layers alone wait for it.
    let network = ["proof/replay/redis/", "token/introspection/", "token/resolver/"];
    let mut lines = lines_with(&["async fn", "async move", ".await"], &[]);
    lines.retain(|line| !network.iter().any(|folder| line.starts_with(folder)));
    let waits = |line: &String| STAGES.iter().any(|stage| line.starts_with(&format!("{stage}/")));
    let wrong: Vec<_> = lines.into_iter().filter(waits).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_module_climbs_past_its_room() {
    // `super::super` from a room's own file would be a way around `crate::`.
    let lines = lines_with(&["super::super"], &[]);
    assert!(lines.is_empty(), "{lines:#?}");
}

#[test]
fn the_reader_of_sources_reads() {
    assert_eq!(path("config::{Fault, Settings};\nfn x() {}"), "config::{Fault, Settings}");
    assert_eq!(path("rejection::Details) -> &str {"), "rejection::Details");
    assert_eq!(code("a\n// crate::x\n    /// y\nb // c"), "a\nb");
    assert_eq!(room("config/build.rs"), "config");
    assert_eq!(room("axum.rs"), "axum");
}
