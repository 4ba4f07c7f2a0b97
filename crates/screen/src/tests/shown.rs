//! What is drawn of known pictures, at several sizes.

use super::pictures::{alarm, forwarded, healthy, of_healthy, of_power_cut, power_cut};
use crate::draw::draw;
use crate::key::Key;
use crate::palette::Colours;
use crate::view::{Input, View, Wish};
use api::{Done, Live, Refusal, Schema};
use insta::assert_snapshot;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::sync::Arc;

fn drawn(view: &View, colours: Colours, (columns, rows): (u16, u16)) -> Buffer {
    let options = TerminalOptions { viewport: Viewport::Fullscreen };
    let mut terminal = Terminal::with_options(TestBackend::new(columns, rows), options).unwrap();
    terminal.draw(|frame| draw(view, colours, frame.area(), frame.buffer_mut())).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let row =
        |row: &[ratatui::buffer::Cell]| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    let rows = buffer.content.chunks(buffer.area.width.into()).map(row);
    rows.map(|row| row.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn shown(view: &View, size: (u16, u16)) -> String {
    text(&drawn(view, Colours::Many, size))
}

fn press(view: &mut View, keys: impl IntoIterator<Item = Key>) -> Vec<Wish> {
    keys.into_iter().filter_map(|key| view.handle(Input::Key(key))).collect()
}

#[test]
fn a_healthy_world() {
    assert_snapshot!("healthy_80x24", shown(&of_healthy(), (80, 24)));
    assert_snapshot!("healthy_200x60", shown(&of_healthy(), (200, 60)));
}

#[test]
fn a_power_cut() {
    assert_snapshot!("power_cut_80x24", shown(&of_power_cut(), (80, 24)));
    assert_snapshot!("power_cut_200x60", shown(&of_power_cut(), (200, 60)));
}

#[test]
fn moved_connections_are_drawn_to_whoever_has_them() {
    let mut view = of_healthy();
    let before = shown(&view, (120, 40));
    view.handle(Input::Live(Live::Picture(Arc::new(forwarded()))));
    assert_ne!(shown(&view, (120, 40)), before);
    assert_snapshot!("forwarded_200x60", shown(&view, (200, 60)));
    assert_snapshot!("forwarded_80x24", shown(&view, (80, 24)));
    let colour = |buffer: &Buffer, words: &str| {
        let cells: Vec<&str> = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        let words: Vec<String> = words.chars().map(String::from).collect();
        let place = cells.windows(words.len()).position(|cells| cells == words).unwrap();
        buffer.content[place].fg
    };
    let tokyo = view.site(&"tokyo".parse().unwrap()).unwrap();
    let words = format!("1,002»{}", view.letter(tokyo));
    let buffer = drawn(&view, Colours::Many, (200, 60));
    assert_eq!(colour(&buffer, &words), Colours::Many.of_site(view.picture.sites[tokyo].colour));
    assert!(shown(&view, (200, 60)).contains("; it forwards 1,002"));

    // A client that is chosen says it, too, and lines that are not its own step back.
    press(&mut view, [Key::Next, Key::Last, Key::Up]);
    let chosen = shown(&view, (200, 60));
    assert!(chosen.contains("Connections of before: Tokyo → London » Tokyo"), "{chosen}");
    press(&mut view, [Key::First]);
    let faint = colour(&drawn(&view, Colours::Many, (200, 60)), &words);
    assert_ne!(faint, Colours::Many.of_site(view.picture.sites[tokyo].colour));
}

/// The same world, with Tokyo and who asks it as a service of their own.
fn of_two_services() -> View {
    let mut picture = healthy();
    let services = ["resolver", "root"].map(|name| api::Service {
        name: name.parse().unwrap(),
        addresses: vec!["198.18.0.53".parse().unwrap()],
        zone: (name == "root").then(|| ".".to_owned()),
    });
    let name = |is_root: bool| Some(services[usize::from(is_root)].name.clone());
    picture.sites.iter_mut().for_each(|site| site.service = name(site.name.as_str() == "tokyo"));
    let of_root = |client: &api::Client| client.site.as_ref().is_some_and(|site| site.as_str() == "tokyo");
    picture.clients.iter_mut().for_each(|client| client.service = name(of_root(client)));
    picture.services = services.to_vec();
    let mut view = of_healthy();
    view.handle(Input::Live(Live::Picture(Arc::new(picture))));
    view
}

#[test]
fn one_of_several_services_is_shown_and_a_number_shows_another() {
    let mut view = of_two_services();
    let first = shown(&view, (80, 24));
    assert!(first.contains("[1 resolver]") && first.contains("2 root"), "{first}");
    press(&mut view, [Key::Letter('9')]);
    assert_eq!(shown(&view, (80, 24)), first, "there is no ninth");
    press(&mut view, [Key::Letter('2')]);
    assert!(view.picture.sites.iter().all(|site| site.name.as_str() == "tokyo"));
    // Samples name ribbons and sites by their place in the whole world.
    assert_snapshot!("service_of_several_80x24", shown(&view, (80, 24)));
}

#[test]
fn a_narrow_terminal_and_one_that_is_too_small() {
    assert_snapshot!("narrow_60x40", shown(&of_power_cut(), (60, 40)));
    assert_snapshot!("least_50x18", shown(&of_power_cut(), (50, 18)));
    assert_snapshot!("too_small_40x10", shown(&of_healthy(), (40, 10)));
}

#[test]
fn help_and_faults_lie_over_the_rest() {
    let mut view = of_healthy();
    press(&mut view, [Key::Letter('?')]);
    assert_snapshot!("help_80x24", shown(&view, (80, 24)));
    press(&mut view, [Key::Escape, Key::Down, Key::Enter, Key::Down]);
    assert_snapshot!("faults_80x24", shown(&view, (80, 24)));
}

#[test]
fn the_other_lists() {
    let mut view = of_power_cut();
    press(&mut view, [Key::Next, Key::Down]);
    assert_snapshot!("client_100x30", shown(&view, (100, 30)));
    press(&mut view, [Key::Next, Key::Down]);
    assert_snapshot!("cable_100x30", shown(&view, (100, 30)));
}

#[test]
fn while_there_is_no_picture_the_lab_has_the_word() {
    let mut view = View::new("earth", "http://127.0.0.1:8053/");
    assert_snapshot!("building_60x18", shown(&view, (60, 18)));
    view.handle(Input::Said("earth: 15 networks, 5 sites, 12 clients; building".to_owned()));
    assert_snapshot!("building_said_60x18", shown(&view, (60, 18)));
    assert_eq!(press(&mut view, [Key::Letter('q')]), [Wish::Leave]);
    assert!(shown(&view, (60, 18)).contains("being taken down"));
}

#[test]
fn without_colours_the_same_is_said() {
    for view in [of_healthy(), of_power_cut()] {
        let coloured = drawn(&view, Colours::Many, (100, 30));
        for colours in [Colours::None, Colours::Sixteen] {
            assert_eq!(text(&drawn(&view, colours, (100, 30))), text(&coloured));
        }
        let plain = drawn(&view, Colours::None, (100, 30));
        assert!(plain.content.iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)));
    }
    assert_snapshot!("no_colour_80x24", text(&drawn(&of_power_cut(), Colours::None, (80, 24))));
}

/// Names lie over land and lines, which have colours of their own.
#[test]
fn a_name_on_the_map_has_one_colour() {
    for colours in [Colours::None, Colours::Sixteen, Colours::Many] {
        let buffer = drawn(&of_healthy(), colours, (100, 30));
        let rows = buffer.content.chunks(100).map(|row| &row[..66]);
        let names = rows.flat_map(|row| row.windows(8)).filter(|cells| {
            cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() == "New York"
        });
        let colours: Vec<_> =
            names.map(|cells| cells.iter().map(|cell| cell.fg).collect::<Vec<_>>()).collect();
        assert_eq!(colours.len(), 2, "on the map and in its ribbon");
        assert!(colours.iter().all(|name| name.iter().all(|colour| *colour == name[0])), "{colours:?}");
    }
}

#[test]
fn a_key_strikes_what_is_chosen_and_the_answer_is_shown() {
    let mut view = of_healthy();
    let wishes = press(&mut view, [Key::Down, Key::Letter('p')]);
    let [Wish::Strike(command)] = &wishes[..] else { panic!("{wishes:?}") };
    assert_eq!(format!("{} {}", command.kind, command.target), "power-cut site newyork");
    assert!(shown(&view, (80, 24)).contains("power-cut site newyork …"));
    let done = Done { schema: Schema, said: "newyork has no power".to_owned() };
    view.handle(Input::Answered(command.clone(), Ok(done)));
    assert!(shown(&view, (80, 24)).contains("power-cut site newyork: newyork has no power"));
    view.handle(Input::Answered(command.clone(), Err(Refusal::because("the lab is stopping"))));
    assert!(shown(&view, (80, 24)).contains("was refused: the lab is stopping"));
    let by_list = press(&mut view, [Key::Enter, Key::Down, Key::Enter, Key::Letter('R'), Key::Letter('z')]);
    let sentences: Vec<String> = by_list
        .iter()
        .map(|wish| match wish {
            Wish::Strike(command) => format!("{} {}", command.kind, command.target),
            Wish::Leave | Wish::Close => panic!("{wish:?}"),
        })
        .collect();
    assert_eq!(sentences, ["drain site newyork", "restore everything"]);
}

#[test]
fn the_choice_stays_where_it_was_when_the_picture_changes() {
    let mut view = of_healthy();
    press(&mut view, [Key::Last]);
    let mut fewer = healthy();
    fewer.sites.remove(0);
    view.handle(Input::Live(Live::Picture(Arc::new(fewer.clone()))));
    assert!(shown(&view, (80, 24)).contains("Tokyo:  p"));
    fewer.sites.pop();
    view.handle(Input::Live(Live::Picture(Arc::new(fewer))));
    assert!(shown(&view, (80, 24)).contains("Johannesburg:  p"));
}

#[test]
fn alarms_stand_above_everything() {
    let mut view = of_healthy();
    let mut picture = power_cut();
    picture.alarms.push(alarm());
    view.handle(Input::Live(Live::Picture(Arc::new(picture))));
    assert!(
        shown(&view, (80, 24)).lines().nth(1).unwrap().contains("! tokyo the fleet store does not answer")
    );
}

#[test]
fn q_and_ctrl_c_leave_and_the_end_closes() {
    let mut view = of_healthy();
    assert_eq!(press(&mut view, [Key::Letter('?'), Key::Letter('q')]), [], "q goes back first");
    assert_eq!(press(&mut view, [Key::Letter('q')]), [Wish::Leave]);
    assert_eq!(press(&mut of_healthy(), [Key::Enter, Key::Interrupt]), [Wish::Leave]);
    assert_eq!(press(&mut view, [Key::Letter('p')]), [], "nothing is struck in a world that ends");
    assert_eq!(view.handle(Input::Ended), Some(Wish::Close));
}
