//! The OpenAPI document of a site's sockets, made from the types and the routes themselves.

use crate::{
    BlackholeAnswer, BlackholeOrder, Done, EventList, EventRow, Explanation, FleetOrder, FleetStatus,
    FlowExplanation, Flows, Order, Ordered, Picture, Refusal, ReloadAnswer, ReloadOrder, RestartAnswer,
    Status, route,
};
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::tag::{Tag, TagBuilder};
use utoipa::openapi::{
    Content, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Ref, RefOr,
    Required, ResponseBuilder,
};

/// The document.
pub fn document() -> OpenApi {
    let mut document = Document::default();
    documents(&mut document);
    orders(&mut document);
    page(&mut document);
    document.type_of::<Refusal>();
    document.finish()
}

fn documents(document: &mut Document) {
    let status = document.json::<Status>();
    document.get(Served::Both, route::STATUS, "What is announced, since when, and why", status);
    let events = document.json::<EventList>();
    document.get(
        Served::Both,
        route::EVENTS,
        "The latest events that the process holds, oldest first",
        events,
    );
    let rows = Answer { kind: "application/x-ndjson", schema: document.type_of::<EventRow>() };
    let about = "The same events and then every new one, one object a line, until the caller closes";
    document.get(Served::Both, route::FOLLOW, about, rows);
    let explanation = document.json::<Explanation>();
    let prefix = ParameterBuilder::new().name("prefix").parameter_in(ParameterIn::Query);
    let prefix = prefix.required(Required::True).schema(Some(document.type_of::<terms::Prefix>()));
    let about = "What peers were told about one prefix, and why";
    let explain = OperationBuilder::new().summary(Some(about)).parameter(prefix);
    document.add(Served::Both, route::EXPLAIN, HttpMethod::Get, explain, explanation);
    let explanation = document.json::<FlowExplanation>();
    let end = |name: &str, required| {
        let end = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(required);
        end.schema(Some(ObjectBuilder::new().schema_type(Type::String)))
    };
    let about =
        "Where the packets of a connection go, and why; without `service` of every one that is known here";
    let explain = OperationBuilder::new().summary(Some(about));
    let explain = explain.parameter(end("client", Required::True)).parameter(end("service", Required::False));
    document.add(Served::Both, route::EXPLAIN_FLOW, HttpMethod::Get, explain, explanation);
    let fleet = document.json::<FleetStatus>();
    let about = "Every site of the fleet, and who may withdraw, as this host sees it";
    document.get(Served::Both, route::FLEET, about, fleet);
    let flows = document.json::<Flows>();
    let about = "The connections that routing has moved from one site to another, as this host sees them";
    document.get(Served::Both, route::FLOWS, about, flows);
    let about = "Metrics for Prometheus (OpenMetrics 1.0); docs/reference/metrics.md lists them";
    document.get(Served::Both, route::METRICS, about, text("application/openmetrics-text"));
}

fn orders(document: &mut Document) {
    let (order, ordered) = (document.json::<Order>(), document.json::<Ordered>());
    document.post(route::ORDERS, "An operator's order, or with `dry_run` its rehearsal", order, ordered);
    let (order, answer) = (document.json::<BlackholeOrder>(), document.json::<BlackholeAnswer>());
    let about = "Has peers drop what is sent to an address, or no longer, or with `dry_run` says who would";
    document.post(route::BLACKHOLES, about, order, answer);
    let (order, answer) = (document.json::<ReloadOrder>(), document.json::<ReloadAnswer>());
    document.post(route::RELOAD, "Another site file, or with `dry_run` what it would change", order, answer);
    let (order, done) = (document.json::<FleetOrder>(), document.json::<Done>());
    document.post(route::FLEET, "Decides about a site that cannot decide itself", order, done);
    let nothing = Answer { kind: "application/json", schema: ObjectBuilder::new().into() };
    let (empty, answer) = (
        Answer { kind: "application/json", schema: ObjectBuilder::new().into() },
        document.json::<RestartAnswer>(),
    );
    document.post(route::RESTART, "The program on disk takes over, and no peer sees it", empty, answer);
    let answer = document.json::<ReloadAnswer>();
    document.post(route::RELOAD_CONFIRM, "Confirms the reload that waits for it", nothing, answer);
}

fn page(document: &mut Document) {
    let picture = document.json::<Picture>();
    document.get(Served::Listener, route::PICTURE, "What the page draws, as it is now", picture);
    let about = "Server-sent events: `picture` (a Picture), `event` (an EventRow), `samples` (rows of check, \
                 milliseconds since the start, site, round trip in ms, family)";
    document.get(Served::Listener, route::LIVE, about, text("text/event-stream"));
    let about = "`ok` as long as the process serves; says nothing about what is announced";
    document.get(Served::Listener, route::HEALTH, about, text("text/plain"));
}

/// Where a route is served.
#[derive(Clone, Copy)]
enum Served {
    Both,
    Socket,
    Listener,
}

impl Served {
    const ALL: [Served; 3] = [Served::Both, Served::Socket, Served::Listener];

    fn name(self) -> &'static str {
        match self {
            Served::Both => "documents",
            Served::Socket => "orders",
            Served::Listener => "page",
        }
    }

    fn tag(self) -> Tag {
        let about = match self {
            Served::Both => "Read-only, on the control socket and on the listener",
            Served::Socket => "On the control socket only",
            Served::Listener => "Read-only, on the listener only",
        };
        TagBuilder::new().name(self.name()).description(Some(about)).build()
    }
}

/// What a route answers, or takes.
struct Answer {
    kind: &'static str,
    schema: RefOr<Schema>,
}

impl Answer {
    fn content(self) -> Content {
        ContentBuilder::new().schema(Some(self.schema)).build()
    }
}

fn text(kind: &'static str) -> Answer {
    Answer { kind, schema: ObjectBuilder::new().schema_type(Type::String).into() }
}

/// The document as it grows.
#[derive(Default)]
struct Document {
    paths: PathsBuilder,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Document {
    /// Describes a type, and every type that it is made of.
    fn type_of<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(T::name()).into()
    }

    fn json<T: ToSchema>(&mut self) -> Answer {
        Answer { kind: "application/json", schema: self.type_of::<T>() }
    }

    fn get(&mut self, served: Served, path: &str, about: &str, answer: Answer) {
        self.add(served, path, HttpMethod::Get, OperationBuilder::new().summary(Some(about)), answer);
    }

    fn post(&mut self, path: &str, about: &str, takes: Answer, answer: Answer) {
        let body = RequestBodyBuilder::new().required(Some(Required::True));
        let body = body.content(takes.kind, takes.content()).build();
        let operation = OperationBuilder::new().summary(Some(about)).request_body(Some(body));
        self.add(Served::Socket, path, HttpMethod::Post, operation, answer);
    }

    fn add(
        &mut self,
        served: Served,
        path: &str,
        method: HttpMethod,
        operation: OperationBuilder,
        answer: Answer,
    ) {
        let answered = ResponseBuilder::new().description("As asked").content(answer.kind, answer.content());
        let refusal = self.json::<Refusal>();
        let refused = ResponseBuilder::new().description("Refused, and why");
        let refused = refused.content(refusal.kind, refusal.content());
        let operation = operation.tag(served.name()).response("200", answered).response("default", refused);
        self.paths = std::mem::take(&mut self.paths).path(path, PathItem::new(method, operation));
    }

    fn finish(self) -> OpenApi {
        let about = "What a site's daemon answers on its control socket (a Unix socket, `[api] socket`) and on its \
                     read-only listener (`[api] listen`). Every document carries `\"schema\": 1`: keys may be added, \
                     none is renamed or removed without raising it.";
        let info = InfoBuilder::new().title("Catchment").version(env!("CARGO_PKG_VERSION"));
        OpenApiBuilder::new()
            .info(info.description(Some(about)).build())
            .tags(Some(Served::ALL.map(Served::tag)))
            .paths(self.paths)
            .components(Some(ComponentsBuilder::new().schemas_from_iter(self.schemas).build()))
            .build()
    }
}
