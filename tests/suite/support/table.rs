//! Tables of a Markdown document.

/// The rows of the first table below a heading, each a list of cells; its head is left out.
pub fn below_heading(document: &str, heading: &str) -> Vec<Vec<String>> {
    let mut lines = document.lines().skip_while(|line| *line != heading).skip(1);
    let table: Vec<&str> =
        lines.by_ref().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|')).collect();
    assert!(table.len() > 2, "there is no table below {heading:?}");
    table.iter().skip(2).map(|row| cells(row)).collect()
}

/// As [`below_heading`], for a table that may have no rows.
pub fn below_heading_if_any(document: &str, heading: &str) -> Vec<Vec<String>> {
    assert!(document.lines().any(|line| line == heading), "there is no {heading:?}");
    let section =
        document.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| !line.starts_with("## "));
    section.filter(|line| line.starts_with('|')).skip(2).map(cells).collect()
}

fn cells(row: &str) -> Vec<String> {
    row.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The words that a cell sets in `code`.
pub fn code_words(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
