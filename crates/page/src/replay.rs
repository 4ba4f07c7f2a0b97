//! A replay: the page, and what it shows, in one file that needs no server and no network.
//!
//! It is the same page. Where it finds a history inside, it plays that instead of listening to a server. The history may
//! hold anything that a hostile network has said; it is compressed and written in base64, which has no sign that means
//! anything to HTML. The file's own policy lets it run this one script and load nothing.

use crate::assets::{ASSETS, document};
use crate::bundle::bundle;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use std::io;

/// What stands in the live page, and stands in one place only.
mod live {
    pub(super) const CHARSET: &str = "<meta charset=\"utf-8\">";
    pub(super) const STYLE: &str = "<link rel=\"stylesheet\" href=\"/style.css\">";
    pub(super) const SCRIPT: &str = "<script type=\"module\" src=\"/page.js\"></script>";
    pub(super) const END: &str = "</body>";
    pub(super) const ICON: &str = "/icon.svg";
}

/// The page that plays a history: any document of the form in `docs/reference/replay.md`. Fails only where the document
/// cannot be written as JSON.
pub fn replay(history: &impl Serialize) -> io::Result<Vec<u8>> {
    let history = STANDARD.encode(compressed(history)?);
    let (style, script) = (asset("/style.css"), bundle("/page.js"));
    let icon = format!("data:image/svg+xml;base64,{}", STANDARD.encode(asset(live::ICON)));
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'",
        hash(&script),
        hash(style)
    );
    let policy = format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">");
    let page = document(None)
        .replace(live::CHARSET, &format!("{}\n{policy}", live::CHARSET))
        .replace(live::STYLE, &format!("<style>{style}</style>"))
        .replace(live::SCRIPT, &format!("<script type=\"module\">{script}</script>"))
        .replace(
            live::END,
            &format!("<script type=\"{TYPE}\" id=\"history\">{history}</script>\n{}", live::END),
        )
        .replace(live::ICON, &icon);
    Ok(page.into_bytes())
}

/// Of this type a browser runs nothing.
const TYPE: &str = "application/gzip";

fn asset(path: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.path == path).map_or("", |asset| asset.text)
}

fn compressed(history: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = GzEncoder::new(Vec::new(), Compression::best());
    serde_json::to_writer(&mut text, history)?;
    text.finish()
}

/// What the policy calls an inline script or style (CSP Level 3, section 2.3.1, hash-source).
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    const HOSTILE: &str = "</script><script>alert(1)</script><!-- \u{2028} ]]> &quot; \" ' <img src=x>";

    fn page_of(text: &str) -> String {
        String::from_utf8(replay(&serde_json::json!({ "title": text })).unwrap()).unwrap()
    }

    #[test]
    fn what_is_replaced_stands_in_the_page_once() {
        for place in [live::CHARSET, live::STYLE, live::SCRIPT, live::END] {
            assert_eq!(document(None).matches(place).count(), 1, "{place}");
        }
    }

    #[test]
    fn nothing_in_the_file_points_out_of_it() {
        let page = page_of("tiny");
        for reference in ["src=\"/", "href=\"/", "src=\"http", "href=\"http", "url(", "@import", "{token}"] {
            assert!(!page.contains(reference), "{reference}");
        }
    }

    #[test]
    fn what_a_hostile_network_said_stays_data() {
        let page = page_of(HOSTILE);
        let harmless = page_of("tiny");
        let tags = |page: &str| page.matches('<').count();
        assert_eq!(tags(&page), tags(&harmless), "it brought markup along");
        let inside = page.split("id=\"history\">").nth(1).unwrap().split('<').next().unwrap();
        let letters = |letter: char| letter.is_ascii_alphanumeric() || "+/=".contains(letter);
        assert!(inside.chars().all(letters), "base64 only");
        let mut text = String::new();
        GzDecoder::new(&STANDARD.decode(inside).unwrap()[..]).read_to_string(&mut text).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["title"], HOSTILE);
    }

    /// The end of an inline script or style is found by its tag, wherever that stands.
    #[test]
    fn no_script_and_no_style_ends_itself() {
        for text in [bundle("/page.js").as_str(), asset("/style.css")] {
            let text = text.to_ascii_lowercase();
            for tag in ["</script", "</style", "<!--"] {
                assert!(!text.contains(tag), "{tag}");
            }
        }
    }

    #[test]
    fn the_policy_knows_its_script() {
        let page = page_of("tiny");
        let script =
            page.split("<script type=\"module\">").nth(1).unwrap().split("</script>").next().unwrap();
        assert!(page.contains(&format!("script-src '{}'", hash(script))));
        // The digest of nothing, as `openssl dgst -sha256 -binary | base64` tells it.
        assert_eq!(hash(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
