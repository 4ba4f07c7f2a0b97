//! What a real peer sees of each level: the attributes, and one UPDATE for each change.

use crate::world::{World, until};
use serde_json::json;

/// What BIRD says about one of the routes.
fn route(world: &World) -> String {
    world.birdc("show route all 198.18.0.0/24")
}

fn order(world: &World, kind: &str) {
    let order = json!({ "schema": 1, "kind": kind, "reason": "to see what the peer sees" });
    let (status, answer) = world.post("/orders", &order);
    assert!(status.ends_with("200 OK"), "{status} {answer}");
}

#[test]
fn each_level_is_told_with_its_attributes_in_one_update() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let policy = "asn = 64500\nmed = 5\ncommunities = [\"64500:100\", \"64500:1:2\"]\n\
                  deprefer = { prepend = 2, communities = [\"64500:80\", \"0x0002fbf400000050\"] }\n";
    // A drain that does not end by itself.
    let timers = "drain = \"1h\"\nconverge = \"1h\"";
    let _daemon = world.daemon_with_pieces(&[("asn = 64500\n", policy), ("drain = \"2s\"", timers)]);
    until("both prefixes are announced", || world.is_announced());
    assert_eq!((world.updates(), world.withdraws()), (2, 0));
    let normal = route(&world);
    for said in ["BGP.as_path: 64501\n", "BGP.med: 5\n", "(64500,100)", "(64500, 1, 2)"] {
        assert!(normal.contains(said), "{said}\n{normal}");
    }
    assert!(!normal.contains("(64500,80)") && !normal.contains("(65535,0)"), "{normal}");

    order(&world, "drain");
    until("the route is marked", || route(&world).contains("(65535,0)"));
    let gshut = route(&world);
    let marked = ["BGP.as_path: 64501 64501 64501\n", "BGP.med: 4294967295\n", "(64500,80)", "(64500,100)"];
    for said in marked.into_iter().chain(["(64500, 1, 2)", "(rt, 64500, 80)"]) {
        assert!(gshut.contains(said), "{said}\n{gshut}");
    }
    assert_eq!(world.document("/status")["groups"][0]["output"], "gshut");
    assert_eq!((world.updates(), world.withdraws()), (4, 0), "one UPDATE for each family");

    order(&world, "withdraw");
    until("both prefixes are withdrawn", || world.is_withdrawn());
    assert_eq!((world.updates(), world.withdraws()), (4, 2));

    order(&world, "resume");
    until("both prefixes are announced again", || world.is_announced());
    assert!(!route(&world).contains("(65535,0)"));
    assert_eq!((world.updates(), world.withdraws()), (6, 2));
}
