//! What a wrong declaration, or a wrong use, is told.

#[test]
fn mistakes_are_told_where_they_are() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/declaration/*.rs");
}
