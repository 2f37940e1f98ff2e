use super::*;

fn counts(paths: &[(&str, i64)]) -> Counts {
    let count = |&(path, ours): &(&str, i64)| {
        (path.to_owned(), Count { layer: 200_000 + ours, floor: 200_000 })
    };
    Counts(paths.iter().map(count).collect())
}

fn tools(rustc: &str) -> Tools {
    let mut tools = Tools::default();
    tools.push("rustc", rustc);
    tools
}

fn compared(before: &[(&str, i64)], now: &[(&str, i64)]) -> Comparison {
    let baseline = Baseline::of(&counts(before), tools("1.95.0"));
    Comparison::new(&baseline, &counts(now), &tools("1.95.0"))
}

#[test]
fn a_rise_of_more_than_three_hundredths_fails() {
    assert!(compared(&[("a", 10_000)], &[("a", 10_300)]).passes());
    let risen = compared(&[("a", 10_000), ("b", 5_000)], &[("a", 10_301), ("b", 5_000)]);
    assert!(!risen.passes());
    assert_eq!(risen.verdict(), ["a: FAILED: it takes more than in the baseline."]);
    assert!(risen.to_string().contains("+3.0 %  RISEN"), "{risen}");
}

#[test]
fn what_cannot_be_saved_hides_nothing() {
    // It is less than three hundredths of what the layer takes with its signature.
    assert!(!compared(&[("a", 3_000)], &[("a", 3_091)]).passes());
}

#[test]
fn a_small_path_has_some_instructions_of_slack() {
    assert!(compared(&[("a", 100)], &[("a", 130)]).passes());
    assert!(!compared(&[("a", 100)], &[("a", 131)]).passes());
    assert!(compared(&[("a", -20)], &[("a", 10)]).passes());
    assert!(!compared(&[("a", 0)], &[("a", 31)]).passes());
}

#[test]
fn a_fall_passes_and_is_told() {
    let fallen = compared(&[("a", 10_000)], &[("a", 9_000)]);
    assert!(fallen.passes());
    assert!(fallen.to_string().contains("-10.0 %  fallen"), "{fallen}");
    let [told, passed] = ["a: takes less, which a new baseline would hold.", "PASSED."];
    assert_eq!(fallen.verdict(), [told, passed]);
}

#[test]
fn both_have_the_same_paths() {
    let new = compared(&[("a", 1)], &[("a", 1), ("b", 1)]);
    assert!(!new.passes());
    assert_eq!(new.verdict(), ["b: FAILED: it is not in the baseline."]);
    let gone = compared(&[("a", 1), ("b", 1)], &[("a", 1)]);
    assert!(!gone.passes());
    assert_eq!(gone.verdict(), ["b: FAILED: it was not counted."]);
}

#[test]
fn what_other_tools_make_fails_nothing_and_is_told() {
    let baseline = Baseline::of(&counts(&[("a", 1)]), tools("1.95.0"));
    let other = tools("1.96.0");
    let risen = Comparison::new(&baseline, &counts(&[("a", 100)]), &other);
    assert!(risen.passes());
    let [told, why] = [
        "a: takes more than in the baseline of other tools, which proves nothing.",
        "The baseline was made with rustc 1.95.0, these counts with 1.96.0.",
    ];
    assert_eq!(risen.verdict(), [told, why, "PASSED."]);
    let gone = Comparison::new(&baseline, &counts(&[]), &other);
    assert!(!gone.passes());
    assert_eq!(gone.verdict(), ["a: FAILED: it was not counted.", why]);
}
