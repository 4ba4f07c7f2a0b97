//! A headless Chromium at the other end of a pipe (the DevTools protocol, `--remote-debugging-pipe`: messages in JSON,
//! each followed by a zero byte). No port, and no way out but the pipe: when the test ends, however it ends, the pipe is
//! closed, and the browser goes.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Debian's packages, the smaller one first.
const PROGRAMS: [&str; 2] = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];
/// What it reads on descriptor 3 and writes on descriptor 4 is what it is told and says on its standard streams.
const WITH_PIPE: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null";
/// Long enough for a busy machine; nothing is asserted about how long things take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// A page and everything that belongs to it is there.
const LOADED: &str = "Page.loadEventFired";

/// What is looked at in a page: functions for [`Page::see`].
const INSPECT: &str = include_str!("inspect.js");

/// A browser with one page.
pub(crate) struct Page {
    process: Child,
    told: ChildStdin,
    heard: Receiver<Value>,
    asked: u64,
    session: Option<String>,
    /// What the page fetched, and what went wrong in it.
    events: Vec<Value>,
    /// Where the browser keeps its things; it goes with the browser.
    _profile: TempDir,
}

impl Page {
    /// An empty page of this width.
    pub(crate) fn new(width: u32) -> Self {
        let program = PROGRAMS.iter().find(|program| std::path::Path::new(program).exists());
        let program = program.expect("Chromium is needed: `make install-test` installs it");
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new("/bin/sh")
            .args(["-c", WITH_PIPE, program, "--headless", "--no-sandbox", "--disable-gpu"])
            .args(["--disable-dev-shm-usage", "--remote-debugging-pipe", "about:blank"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = process.stdin.take().unwrap();
        let mut says = BufReader::new(process.stdout.take().unwrap());
        let (tell, heard) = channel();
        thread::spawn(move || {
            let mut message = Vec::new();
            while says.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                // Whoever listened is gone, and the pipe with it.
                if tell.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    return;
                }
                message.clear();
            }
        });
        let mut page =
            Page { process, told, heard, asked: 0, session: None, events: Vec::new(), _profile: profile };
        page.attach();
        page.resize(width);
        page
    }

    fn attach(&mut self) {
        let target = self.ask("Target.createTarget", json!({ "url": "about:blank" }));
        let asked = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.ask("Target.attachToTarget", asked);
        self.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Network", "Log"] {
            self.ask(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Asks the browser, and waits for its answer.
    pub(crate) fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        let mut message = json!({ "id": self.asked, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut text = serde_json::to_vec(&message).unwrap();
        text.push(0);
        self.told.write_all(&text).unwrap();
        let number = self.asked;
        let said = self.hear(&message.to_string(), |said| said["id"] == number);
        assert!(said["error"].is_null(), "{message}: {}", said["error"]);
        said["result"].clone()
    }

    /// Waits for a message; others are kept if they are of use.
    fn hear(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let kept = ["Network.requestWillBeSent", "Runtime.exceptionThrown", "Log.entryAdded", LOADED];
        loop {
            let said = self.heard.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no answer: {what}"));
            if wanted(&said) {
                return said;
            }
            if kept.iter().any(|kept| said["method"] == *kept) {
                self.events.push(said);
            }
        }
    }

    /// Opens a page, and waits until everything of it is there.
    pub(crate) fn open(&mut self, url: &str) {
        self.events.clear();
        self.ask("Page.navigate", json!({ "url": url }));
        let loaded = |said: &Value| said["method"] == LOADED;
        if !self.events.iter().any(loaded) {
            self.hear(url, loaded);
        }
        self.ask("Runtime.evaluate", json!({ "expression": INSPECT }));
    }

    /// The value of an expression in the page.
    pub(crate) fn see(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let seen = self.ask("Runtime.evaluate", asked);
        assert!(seen["exceptionDetails"].is_null(), "{expression}: {}", seen["exceptionDetails"]);
        seen["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub(crate) fn wait(&mut self, expression: &str) {
        let glances = PATIENCE.as_millis() / GLANCE.as_millis();
        for _ in 0..glances {
            if self.see(expression) == true {
                return;
            }
            thread::sleep(GLANCE);
        }
        panic!("still not: {expression}\n{}", self.see("document.body.innerText"));
    }

    /// Presses and releases a key.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, number, text) = match key {
            "Tab" => ("Tab", 9, ""),
            "Enter" => ("Enter", 13, "\r"),
            "Escape" => ("Escape", 27, ""),
            " " => ("Space", 32, " "),
            "End" => ("End", 35, ""),
            "Home" => ("Home", 36, ""),
            "ArrowLeft" => ("ArrowLeft", 37, ""),
            "ArrowRight" => ("ArrowRight", 39, ""),
            "ArrowDown" => ("ArrowDown", 40, ""),
            other => panic!("no such key here: {other}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({ "type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number, "text": text });
            self.ask("Input.dispatchKeyEvent", event);
        }
    }

    /// Makes the page this wide.
    pub(crate) fn resize(&mut self, width: u32) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", size);
    }

    /// Has the system prefer light or dark colours.
    pub(crate) fn prefer(&mut self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.ask("Emulation.setEmulatedMedia", features);
    }

    /// Every address that the page has fetched since it was opened.
    pub(crate) fn fetched(&self) -> Vec<String> {
        let requests = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        requests.map(|event| event["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    /// Whatever went wrong in the page since it was opened.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let wrong = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Log.entryAdded") => event["params"]["entry"]["level"] == "error",
            _ => false,
        };
        self.events.iter().filter(wrong).map(|event| event["params"].to_string()).collect()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
