//! Did you mean?

/// The known name nearest to a mistyped one, if any is near.
pub fn suggest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase();
    let (distance, name) =
        known.iter().map(|name| (strsim::damerau_levenshtein(&typed, name), *name)).min()?;
    // A third of the letters may be wrong; of short names one.
    let near = distance <= (name.len().max(typed.len()) / 3).max(1);
    let contains = typed.len() >= 3 && (name.contains(&typed) || typed.contains(name));
    (near || contains).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let known = ["budgets", "enabled", "expires_at", "limits"];
        assert_eq!(suggest("budget", &known), Some("budgets"));
        assert_eq!(suggest("enabeld", &known), Some("enabled"));
        assert_eq!(suggest("expires-at", &known), Some("expires_at"));
        assert_eq!(suggest("Limits", &known), Some("limits"));
        assert_eq!(suggest("colour", &known), None);
        assert_eq!(suggest("x", &[]), None);
    }
}
