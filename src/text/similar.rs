//! The known word that is most similar to a mistyped one.

/// Returns the known word that is most similar to `found`; `None` when none is similar.
pub fn nearest<'w>(found: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let found = found.to_lowercase();
    let likeness = |word: &str| {
        let word = word.to_lowercase();
        // In a short word such as 'kye' or 'dsn', one typing error leaves too little for the usual measure.
        let is_slip = found.chars().count() >= 3 && strsim::osa_distance(&found, &word) == 1;
        strsim::jaro_winkler(&found, &word).max(if is_slip { 0.9 } else { 0.0 })
    };
    let scored = known.into_iter().map(|word| (likeness(word), word)).filter(|(score, _)| *score > 0.8);
    scored.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, word)| word)
}

/// Returns how many characters must be put in, taken out, exchanged or swapped with their neighbour to make one word of another.
pub fn edits(one: &str, other: &str) -> usize {
    strsim::osa_distance(one, other)
}

/// Returns ` (did you mean 'issuing'?)`, to be appended to what was found; empty when no known word is similar.
pub fn did_you_mean<'w>(found: &str, known: impl IntoIterator<Item = &'w str>) -> String {
    nearest(found, known).map_or_else(String::new, |near| format!(" (did you mean '{near}'?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_like_none_is_not_guessed_at() {
        let known = ["root", "issuing", "branch"];
        assert_eq!(nearest("isuing", known), Some("issuing"));
        assert_eq!(nearest("BRANCH", known), Some("branch"));
        assert_eq!(nearest("web", ["Web"]), Some("Web"));
        assert_eq!(nearest("kye", ["summary", "key"]), Some("key"));
        assert_eq!(nearest("ke", ["key"]), Some("key"));
        assert_eq!(nearest("ip", ["uri", "dns"]), None);
        assert_eq!(nearest("x", known), None);
        assert_eq!(did_you_mean("rot", known), " (did you mean 'root'?)");
        assert_eq!(did_you_mean("", known), "");
    }
}
