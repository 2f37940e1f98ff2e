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
