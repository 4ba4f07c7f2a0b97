//! The OpenAPI document of a site's sockets, made from the types and the routes themselves.

use crate::{EventList, EventRow, Explanation, FleetStatus, Order, Ordered, Picture, Refusal, Status, route};
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Ref, RefOr, Required,
    ResponseBuilder,
};

/// Where a route is served.
#[derive(Clone, Copy)]
enum Served {
    /// On the control socket and on the read-only listener.
    Both,
    /// On the read-only listener only.
    Listener,
    /// On the control socket only.
    Socket,
}

impl Served {
    fn tag(self) -> &'static str {
        match self {
            Served::Both => "documents",
            Served::Listener => "page",
            Served::Socket => "orders",
        }
    }
}

/// The document.
pub fn document() -> OpenApi {
    let mut document = Document::default();
    document.get(route::STATUS, Served::Both, "What is announced, since when, and why", json::<Status>());
    document.get(
        route::EVENTS,
        Served::Both,
        "The latest events that the process still holds, oldest first",
        json::<EventList>(),
    );
    document.get(
        route::FOLLOW,
        Served::Both,
        "The same events and then every new one, one object a line, until the caller closes",
        Answer { kind: "application/x-ndjson", schema: reference::<EventRow>() },
    );
    document.ask(
        route::EXPLAIN,
        Served::Both,
        "What peers were told about one prefix, and why",
        [prefix()],
        json::<Explanation>(),
    );
    document.get(
        route::FLEET,
        Served::Both,
        "Every site of the fleet, and who may withdraw, as this host sees it",
        json::<FleetStatus>(),
    );
    document.get(
        route::METRICS,
        Served::Both,
        "Metrics for Prometheus (OpenMetrics 1.0); docs/reference/metrics.md lists them",
        Answer { kind: "application/openmetrics-text", schema: text() },
    );
    document.get(route::PICTURE, Served::Listener, "What the page draws, as it is now", json::<Picture>());
    document.get(
        route::LIVE,
        Served::Listener,
        "Server-sent events: `picture` (a Picture), `samples` (rows of check, ms, site, ms, family), `event` (an EventRow)",
        Answer { kind: "text/event-stream", schema: text() },
    );
    document.get(
        route::HEALTH,
        Served::Listener,
        "`ok` as long as the process serves; says nothing about what is announced",
        Answer { kind: "text/plain", schema: text() },
    );
    document.post::<Order, Ordered>(
        route::ORDERS,
        Served::Socket,
        "An operator's order, or its rehearsal: what it changes for whom, and whether the fleet permits it",
    );
    document.also::<EventRow>();
    document.also::<Refusal>();
    document.finish()
}

/// What a route answers.
struct Answer {
    kind: &'static str,
    schema: RefOr<Schema>,
}

fn json<T: ToSchema>() -> Answer {
    Answer { kind: "application/json", schema: reference::<T>() }
}

fn reference<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}

fn text() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).into()
}

fn prefix() -> Parameter {
    let prefix = ParameterBuilder::new().name("prefix").parameter_in(ParameterIn::Query);
    prefix.required(Required::True).schema(Some(reference::<terms::Prefix>())).build()
}

/// The document as it grows.
#[derive(Default)]
struct Document {
    paths: PathsBuilder,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Document {
    fn get(&mut self, path: &str, served: Served, about: &str, answer: Answer) {
        self.ask(path, served, about, [], answer);
    }

    fn ask<const N: usize>(
        &mut self,
        path: &str,
        served: Served,
        about: &str,
        parameters: [Parameter; N],
        answer: Answer,
    ) {
        let operation = OperationBuilder::new().tag(served.tag()).summary(Some(about));
        let operation = operation.parameters((N > 0).then_some(parameters));
        self.operation(path, HttpMethod::Get, operation, answer);
    }

    /// Takes one document and answers with another.
    fn post<Q: ToSchema, A: ToSchema>(&mut self, path: &str, served: Served, about: &str) {
        let content = ContentBuilder::new().schema(Some(reference::<Q>())).build();
        let asked =
            RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        let operation = OperationBuilder::new().tag(served.tag()).summary(Some(about));
        let operation = operation.request_body(Some(asked.build()));
        self.operation(path, HttpMethod::Post, operation, json::<A>());
        self.also::<Q>();
        self.also::<A>();
    }

    fn operation(&mut self, path: &str, method: HttpMethod, operation: OperationBuilder, answer: Answer) {
        let content = ContentBuilder::new().schema(Some(answer.schema)).build();
        let answered = ResponseBuilder::new().description("As asked").content(answer.kind, content);
        let content = ContentBuilder::new().schema(Some(reference::<Refusal>())).build();
        let refused = ResponseBuilder::new()
            .description("Refused, with the reason")
            .content("application/json", content);
        let operation = operation.response("200", answered).response("default", refused);
        let paths = std::mem::take(&mut self.paths);
        self.paths = paths.path(path, PathItem::new(method, operation));
    }

    /// Describes a type, and every type that it is made of.
    fn also<T: ToSchema>(&mut self) {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
    }

    fn finish(mut self) -> OpenApi {
        self.also::<Status>();
        self.also::<EventList>();
        self.also::<Explanation>();
        self.also::<FleetStatus>();
        self.also::<Picture>();
        let info = InfoBuilder::new().title("Catchment").version(env!("CARGO_PKG_VERSION"));
        let about = "What a site's daemon answers on its control socket (a Unix socket, `[api] socket`) and on its \
                     read-only listener (`[api] listen`). Every document carries `\"schema\": 1`: keys may be added, \
                     none is renamed or removed without raising it.";
        let components = ComponentsBuilder::new().schemas_from_iter(self.schemas).build();
        let tag = |name: &str, about: &str| TagBuilder::new().name(name).description(Some(about)).build();
        OpenApiBuilder::new()
            .info(info.description(Some(about)).build())
            .tags(Some([
                tag(Served::Both.tag(), "Read-only, on both sockets"),
                tag(Served::Listener.tag(), "Read-only, on the listener only"),
                tag(Served::Socket.tag(), "Changes something; on the control socket only"),
            ]))
            .paths(self.paths)
            .components(Some(components))
            .build()
    }
}
