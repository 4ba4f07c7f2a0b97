//! The files of `web/`, part of the program.

/// One file of the page.
pub(crate) struct Asset {
    pub(crate) path: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) text: &'static str,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! asset {
    ($name:literal, $kind:expr) => {
        Asset { path: concat!("/", $name), kind: $kind, text: include_str!(concat!("../../../web/", $name)) }
    };
}

/// Everything but the document itself.
pub(crate) const ASSETS: &[Asset] = &[
    asset!("style.css", "text/css; charset=utf-8"),
    asset!("icon.svg", "image/svg+xml"),
    asset!("page.js", SCRIPT),
    asset!("stream.js", SCRIPT),
    asset!("player.js", SCRIPT),
    asset!("recording.js", SCRIPT),
    asset!("story.js", SCRIPT),
    asset!("headline.js", SCRIPT),
    asset!("map.js", SCRIPT),
    asset!("projection.js", SCRIPT),
    asset!("labels.js", SCRIPT),
    asset!("land.js", SCRIPT),
    asset!("marks.js", SCRIPT),
    asset!("ribbons.js", SCRIPT),
    asset!("alarms.js", SCRIPT),
    asset!("cards.js", SCRIPT),
    asset!("services.js", SCRIPT),
    asset!("site.js", SCRIPT),
    asset!("delivery.js", SCRIPT),
    asset!("events.js", SCRIPT),
    asset!("ways.js", SCRIPT),
    asset!("forwards.js", SCRIPT),
    asset!("readout.js", SCRIPT),
    asset!("theme.js", SCRIPT),
    asset!("element.js", SCRIPT),
];

/// The document, with the token in the place that is kept for it; no token where nothing may be changed.
pub(crate) fn document(token: Option<&str>) -> String {
    include_str!("../../../web/index.html").replace("{token}", token.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn web() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web")
    }

    #[test]
    fn every_file_of_the_page_is_embedded() {
        let served: BTreeSet<String> = ASSETS.iter().map(|asset| asset.path[1..].to_owned()).collect();
        let written: BTreeSet<String> = std::fs::read_dir(web())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "index.html")
            .collect();
        assert_eq!(served, written);
    }

    #[test]
    fn every_import_names_a_file_that_is_served() {
        let scripts = ASSETS.iter().filter(|asset| asset.kind == SCRIPT);
        let imports = scripts.flat_map(|asset| asset.text.lines().map(move |line| (asset.path, line)));
        let mut seen = 0;
        for (path, line) in imports.filter(|(_, line)| line.contains(" from '")) {
            let name = line.split(" from '.").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
            assert!(ASSETS.iter().any(|asset| asset.path == name), "{path}: {line}");
            seen += 1;
        }
        assert!(seen > 10, "the imports were not found: {seen}");
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere_and_nothing_is_parsed_as_markup() {
        for asset in ASSETS {
            for (number, line) in asset.text.lines().enumerate() {
                let comment = line.trim_start().starts_with("//") || line.trim_start().starts_with('*');
                let namespace = line.contains("http://www.w3.org/");
                assert!(
                    !line.contains("://") || comment || namespace,
                    "{}:{}: {line}",
                    asset.path,
                    number + 1
                );
                assert!(!line.contains("innerHTML"), "{}:{}: {line}", asset.path, number + 1);
            }
        }
    }

    #[test]
    fn the_token_has_one_place_in_the_document() {
        assert_eq!(document(Some("secret")).matches("secret").count(), 1);
        assert!(!document(None).contains("{token}"));
    }
}
