//! The MCP example: the story to its end, and each part by itself.

#[allow(dead_code, reason = "the client uses more of it")]
#[path = "../../examples/mcp/client/challenge.rs"]
mod challenge;
#[allow(dead_code, reason = "the server uses more of it")]
#[path = "../../examples/mcp/mcp_server/files.rs"]
mod files;

use crate::support::{Server, has_embedded_issuer, refuses, run, text};

/// What is printed, in this order, whichever way the parts are started.
const STORY: &[&str] = &[
    "# A request without a token: where are tokens to be had?",
    "  < 401 Unauthorized",
    "  < www-authenticate: Bearer resource_metadata=",
    "/.well-known/oauth-protected-resource/mcp",
    "/.well-known/oauth-authorization-server",
    "/register",
    "  < 201 Created",
    "/authorize",
    "    code_challenge_method=S256",
    "  < 303 See Other",
    "    grant_type=authorization_code",
    "\"token_type\":\"Bearer\"",
    "  > mcp-name: list_files",
    "\"text\":\"plan.txt\"",
    "# Scenario 1: the token has expired",
    "  < 401 Unauthorized",
    "  < www-authenticate: Bearer error=\"invalid_token\"",
    "Token is invalid, starting re-authentication...",
    "    grant_type=authorization_code",
    "\"text\":\"plan.txt\"",
    "    grant_type=refresh_token",
    "\"text\":\"plan.txt\"",
    "# Scenario 2: the token does not grant enough",
    "  > mcp-name: write_file",
    "  < 403 Forbidden",
    "  < www-authenticate: Bearer error=\"insufficient_scope\", scope=\"files:write\"",
    "You have not granted permission for this action.",
    "    scope=files:write+files:read",
    "  > mcp-name: write_file",
    "\"text\":\"todo.txt written\"",
    "# The same, where the tool itself finds out",
    "  > mcp-name: delete_file",
    "  < 200 OK",
    "insufficient_scope",
    "You have not granted permission for this action.",
    "    scope=files:delete+files:write+files:read",
    "\"text\":\"plan.txt deleted",
    "# Scenario 3: a third party's consent is missing (2025-11-25: an error)",
    "  < mcp-session-id: (hidden)",
    "  < 202 Accepted",
    "\"code\":-32042",
    "To agree, open http://",
    "/connect/drive/",
    "\"text\":\"todo.txt shared\"",
    "# The same (2026-07-28: input is required)",
    "    login_hint=bob",
    "\"resultType\":\"input_required\"",
    "To agree, open http://",
    "\"inputResponses\"",
    "\"text\":\"todo.txt shared\"",
    "# A token that is worth nothing to whoever steals it (DPoP)",
    "  > dpop: (a proof)",
    "\"token_type\":\"DPoP\"",
    "  > authorization: DPoP (the token)",
    "\"text\":",
    "The thief has the token and not the key:",
    "  > authorization: Bearer (the token)",
    "  < 401 Unauthorized",
    "error=\"invalid_token\"",
    "All as it should be.",
];

/// That each step is there, after the one before it, and no secret anywhere.
fn is_told(shown: &str) {
    let mut rest = shown;
    for step in STORY {
        let Some((_, after)) = rest.split_once(step) else {
            panic!("{step} does not follow, but:\n{rest}")
        };
        rest = after;
    }
    assert!(!shown.contains("eyJ"), "tokens and proofs are not shown: {shown}");
}

#[test]
fn one_command_tells_the_whole_story() {
    if !has_embedded_issuer() {
        return;
    }
    let Some(output) = run("mcp", &[]) else { return };
    let (shown, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{shown}{errors}");
    assert_eq!(errors, "");
    is_told(&shown);
}

#[test]
fn the_parts_tell_it_as_processes_too() {
    if !has_embedded_issuer() {
        return;
    }
    let Some(mock) = Server::start_part("authorization-server-mock", &[]) else { return };
    let Some(server) = Server::start_part("mcp-server", &["--issuer", &mock.base]) else { return };
    let url = format!("{}/mcp", server.base);
    let Some(output) = run("mcp", &["client", "--url", &url]) else { return };
    let (shown, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{shown}{errors}");
    is_told(&shown);
    server.stop();
    mock.stop();
}

/// Who cannot grant what is missing is not asked a second time.
#[test]
fn a_step_up_in_vain_is_not_repeated() {
    if !has_embedded_issuer() {
        return;
    }
    let limited = ["--scopes", "files:read"];
    let Some(mock) = Server::start_part("authorization-server-mock", &limited) else { return };
    let Some(server) = Server::start_part("mcp-server", &["--issuer", &mock.base]) else { return };
    let url = format!("{}/mcp", server.base);
    let Some(output) = run("mcp", &["client", "--url", &url]) else { return };
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert_eq!(text(&output.stderr), "error: refused again after the step-up\n");
    assert_eq!(shown.matches("You have not granted permission for this action.").count(), 1);
    assert_eq!(shown.matches("mcp-name: write_file").count(), 2, "{shown}");
    server.stop();
    mock.stop();
}

/// A server whose answers are not those of the story.
#[test]
fn another_answer_is_one_line_and_status_1() {
    if !has_embedded_issuer() {
        return;
    }
    let Some(mock) = Server::start_part("authorization-server-mock", &[]) else { return };
    let Some(output) = run("mcp", &["client", "--url", &format!("{}/mcp", mock.base)]) else {
        return;
    };
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "error: the MCP server answers 404 Not Found\n");
    mock.stop();
}

#[test]
fn nobody_there_is_one_line() {
    let Some(output) = run("mcp", &["client", "--url", "http://127.0.0.1:1/mcp"]) else { return };
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(errors.starts_with("error: nobody answers at 127.0.0.1:1"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

#[test]
fn its_bad_flags_are_one_line_and_status_2() {
    let bad: [&[&str]; 12] = [
        &["server"],
        &["--listen", "127.0.0.1:0"],
        &["client", "mcp-server"],
        &["client", "--url", "https://127.0.0.1:1/mcp"],
        &["client", "--url"],
        &["client", "--issuer", "http://127.0.0.1:1"],
        &["mcp-server", "--listen", "nowhere"],
        &["mcp-server", "--listen", "0.0.0.0:0"],
        &["mcp-server", "--issuer", "as.example.com"],
        &["mcp-server", "--url", "http://127.0.0.1:1"],
        &["authorization-server-mock", "--listen", "0.0.0.0:0"],
        &["authorization-server-mock", "--url", "http://127.0.0.1:1"],
    ];
    for arguments in bad {
        let Some(_) = refuses("mcp", arguments) else { return };
    }
}

#[test]
fn help_is_no_error() {
    for arguments in [
        &["--help"][..],
        &["client", "-h"],
        &["mcp-server", "--help"],
        &["authorization-server-mock", "--help"],
    ] {
        let Some(output) = run("mcp", arguments) else { return };
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(text(&output.stdout).contains("--listen ADDR"), "{arguments:?}");
    }
}

/// Else `files:write` would do what takes `files:delete`: write over a file, then delete it as one's
/// own.
#[test]
fn who_writes_over_a_file_does_not_come_to_own_it() {
    let files = files::Files::default();
    assert!(files.write("alice", "todo.txt".to_owned(), "Buy milk".to_owned()));
    for name in ["plan.txt", "todo.txt"] {
        assert!(files.write("bob", name.to_owned(), "Bob was here".to_owned()));
        assert!(!files.is_owned_by("bob", name), "{name}");
    }
    assert!(files.is_owned_by("alice", "todo.txt"));
    assert_eq!(files.delete("todo.txt").as_deref(), Some("Bob was here"));
}

/// Text that looks like a parameter is none.
#[test]
fn its_challenges_are_read_by_grammar() {
    let hostile = r#"Negotiate abc==, Bearer realm="a, DPoP error=\"no\"", error = insufficient_scope,
        error_description="needs scope=admin, resource_metadata=\"https://evil.example\"", SCOPE="a b""#;
    let found = challenge::parse(hostile);
    let schemes: Vec<_> = found.iter().map(|challenge| challenge.scheme.as_str()).collect();
    assert_eq!(schemes, ["Negotiate", "Bearer"]);
    let bearer = challenge::find("bearer", [hostile]).expect("a challenge");
    assert_eq!(bearer.error(), Some("insufficient_scope"));
    assert_eq!(bearer.scopes(), ["a", "b"]);
    assert_eq!(bearer.parameter("resource_metadata"), None);
    assert_eq!(bearer.parameter("realm"), Some("a, DPoP error=\"no\""));
    for nothing in ["", ",", "\"", "=", "Bearer"] {
        assert_eq!(challenge::parse(nothing).iter().find_map(|it| it.error()), None, "{nothing}");
    }
}
