//! The error catalogue explains every kind of refusal.

use tower_resource_server::RejectionKind;

const CATALOGUE: &str = include_str!("../../src/guide/error_catalogue.md");

/// What stands under the heading of that name, up to the next heading.
fn section(name: &str) -> Option<String> {
    let heading = format!("### {name}");
    let mut lines = CATALOGUE.lines().skip_while(|line| line.trim_end() != heading);
    lines.next()?;
    let body: Vec<_> = lines.take_while(|line| !line.starts_with('#')).collect();
    Some(body.join("\n"))
}

#[test]
fn every_kind_has_its_row() {
    for kind in RejectionKind::ALL.iter().copied() {
        let row = section(kind.name()).unwrap_or_else(|| panic!("no row for {kind}"));
        for word in ["Symptom", "Cause", "Fix"] {
            assert!(row.contains(word), "{kind}: no {word}");
        }
    }
}

#[test]
fn no_row_is_of_a_kind_that_is_gone() {
    let names: Vec<_> = RejectionKind::ALL.iter().map(|kind| kind.name()).collect();
    for heading in CATALOGUE.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(names.contains(&heading.trim_end()), "{heading}");
    }
}

#[test]
fn names_can_be_anchors_and_labels() {
    for kind in RejectionKind::ALL.iter().copied() {
        let name = kind.name();
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        assert_eq!(kind.to_string(), name);
        let same = RejectionKind::ALL.iter().filter(|other| other.name() == name);
        assert_eq!(same.count(), 1, "{name}");
    }
}

#[test]
fn descriptions_are_safe_in_any_challenge() {
    for kind in RejectionKind::ALL.iter().copied() {
        let text = kind.description();
        assert!(!text.is_empty());
        assert!(text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)), "{text}");
        assert!(!text.contains(['"', '\\', '=', ',']), "{text}");
    }
}

#[test]
fn codes_and_statuses_agree() {
    for kind in RejectionKind::ALL.iter().copied() {
        let expected: &[u16] = match kind.error_code() {
            None => &[400, 401, 403, 404, 405, 408, 413, 415, 500, 503],
            Some("invalid_request") => &[400],
            // D-4: of the last two, 400 is for authorization servers.
            Some(
                "invalid_token"
                | "insufficient_user_authentication"
                | "invalid_dpop_proof"
                | "use_dpop_nonce",
            ) => &[401],
            Some("insufficient_scope") => &[403],
            Some(other) => panic!("{kind} has the unknown code {other}"),
        };
        assert!(expected.contains(&kind.status().as_u16()), "{kind}");
        assert_eq!(kind.is_client_fault(), kind.status().as_u16() < 500, "{kind}");
        let grpc = match kind.status().as_u16() {
            400 | 415 if kind.error_code().is_none() => 3,
            403 => 7,
            404 => 5,
            405 => 12,
            408 => 4,
            413 => 8,
            500 => 13,
            503 => 14,
            _ => 16,
        };
        assert_eq!(kind.grpc_code(), grpc, "{kind}");
    }
}

/// Every error of the systems that the crate grew from, by the heading under which it is answered.
const ANSWERED: [(&str, &[&str]); 5] = [
    ("The lesson for clients", &["invalid_token", "insufficient_scope", "WWW-Authenticate"]),
    (
        "AuthPlane",
        &[
            "application/problem+json",
            "invalid_request",
            "invalid_client",
            "invalid_grant",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
            "invalid_token",
            "invalid_dpop_proof",
            "use_dpop_nonce",
            "insufficient_scope",
            "server_error",
            "consent_required",
            "-32042",
            "UrlElicitationRequiredError",
            "ErrCodeConsumed",
            "error",
            "code",
            "client_id",
            "resource",
            "grant_type",
            "trace_id",
            "span_id",
            "request_id",
        ],
    ),
    (
        "The checklist for authorization servers",
        &[
            "invalid_request",
            "unauthorized_client",
            "access_denied",
            "unsupported_response_type",
            "invalid_scope",
            "server_error",
            "temporarily_unavailable",
            "interaction_required",
            "login_required",
            "account_selection_required",
            "consent_required",
            "invalid_request_uri",
            "invalid_request_object",
            "request_not_supported",
            "request_uri_not_supported",
            "registration_not_supported",
            "invalid_client",
            "invalid_grant",
            "unsupported_grant_type",
            "redirect_uri",
            "state",
            "no-store",
        ],
    ),
    (
        "FrontMCP",
        &[
            "UnauthorizedError",
            "AuthConfigurationError",
            "SessionMissingError",
            "UnsupportedClientVersionError",
            "AuthorizationRequiredError",
            "toMcpError()",
            "toAuthorizationRequiredData()",
            "toElicitResponse()",
            "canUseIncrementalAuth()",
            "getUserFacingMessage()",
            "getCancelledMessage()",
            "-32001",
            "-32002",
            "-32003",
        ],
    ),
    (
        "attesto_phoenix",
        &[
            ":send_error",
            ":www_authenticate",
            ":no_store",
            "missing_proof",
            "dpop_scheme_required",
            "dpop_proof_required",
            "replay_check",
            "nonce_check",
            "require_https",
        ],
    ),
];

/// The rows of the table under a heading of the second level: error, answer.
fn rows(heading: &str) -> Vec<(&'static str, &'static str)> {
    let heading = format!("## {heading}");
    let lines = CATALOGUE.lines().skip_while(|line| *line != heading).skip(1);
    let body = lines.take_while(|line| !line.starts_with('#'));
    let table = body.filter(|line| line.starts_with('|')).skip(2);
    table
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [error, answer] = cells.as_slice() else { panic!("not two cells: {line}") };
            (*error, *answer)
        })
        .collect()
}

#[test]
fn each_error_of_the_systems_it_grew_from_is_answered() {
    for (heading, errors) in ANSWERED {
        let rows = rows(heading);
        for error in errors {
            let name = format!("`{error}`");
            let row = rows.iter().find(|(error, _)| error.contains(&name));
            let (_, answer) = row.unwrap_or_else(|| panic!("{heading}: {error}"));
            assert!(answer.len() > 4, "{heading}: {error} has no answer");
        }
        assert!(rows.iter().all(|(error, answer)| !error.is_empty() && !answer.is_empty()));
    }
}

#[test]
fn every_link_within_the_catalogue_leads_to_a_heading() {
    let headings: Vec<_> = CATALOGUE
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|line| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-"))
        .collect();
    let links = CATALOGUE.split("](#").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links {
        assert!(headings.iter().any(|heading| heading == link), "{link}");
    }
}

#[test]
fn the_table_of_kinds_says_what_is_sent() {
    let lines = CATALOGUE.lines().skip_while(|line| *line != "# All kinds").skip(1);
    let table = lines.take_while(|line| !line.starts_with('#'));
    let rows: Vec<_> = table.filter(|line| line.starts_with("| [")).collect();
    let expected: Vec<_> = RejectionKind::ALL
        .iter()
        .map(|kind| {
            let code = kind.error_code().map_or_else(|| "–".to_owned(), |code| format!("`{code}`"));
            let (status, grpc) = (kind.status().as_u16(), kind.grpc_code());
            format!("| [`{kind}`](#{kind}) | {status} | {code} | {grpc} |")
        })
        .collect();
    assert_eq!(rows, expected);
}
