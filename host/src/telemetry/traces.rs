//! Traces: the steps of a run and the calls to the hub, sent by OTLP to whoever collects them.
//!
//! They wait in a queue that is bounded, and a thread of its own sends them: what does not fit is dropped, and no run ever waits. Only
//! spans are sent, with names of partners and jobs, numbers of runs, and times; the lines of the log are not, as they quote files.

use std::pin::Pin;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use ureq::Agent;

/// Where traces are sent to, as OpenTelemetry has it.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Spans that wait; more are dropped.
const WAITING_MAX: usize = 4_096;

/// Spans that are sent at once.
const SENT_MAX: usize = 512;

/// How long they are gathered.
const GATHERED: Duration = Duration::from_secs(2);

/// How long a collector may take to answer.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// How long the last spans are waited for when the program ends.
const LAST_TIME: Duration = Duration::from_secs(2);

/// Largest answer that is read.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// What sends traces. Dropped, it sends the last of them.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// What the environment asks for; none if it asks for nothing.
    ///
    /// # Errors
    /// Why they cannot be sent there.
    pub fn from_environment() -> Result<Option<Self>, String> {
        if ENDPOINTS.iter().all(|name| std::env::var_os(name).is_none_or(|value| value.is_empty())) {
            return Ok(None);
        }
        let exporter = SpanExporter::builder().with_http().with_http_client(Sender::new()).with_protocol(Protocol::HttpBinary);
        let exporter = exporter.with_timeout(ANSWER_TIME).build().map_err(|error| error.to_string())?;
        let batch = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING_MAX)
            .with_max_export_batch_size(SENT_MAX)
            .with_scheduled_delay(GATHERED)
            .build();
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batch).build();
        let named = std::env::var_os("OTEL_SERVICE_NAME").is_some();
        let mut resource = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        if !named {
            resource = resource.with_service_name("bailiwick");
        }
        let provider = SdkTracerProvider::builder().with_span_processor(processor).with_resource(resource.build()).build();
        Ok(Some(Self { provider }))
    }

    /// What takes spans up as they end.
    pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync>(&self) -> impl Layer<S> + use<S> {
        let tracer: SdkTracer = self.provider.tracer("bailiwick");
        let ours = |meta: &Metadata<'_>| meta.is_span() && meta.target().starts_with("bailiwick") && *meta.level() <= tracing::Level::INFO;
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_level(false)
            .with_filter(filter_fn(ours))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST_TIME) {
            tracing::debug!(%error, "the last traces were not sent");
        }
    }
}

/// Sends by the hub's own client, on the thread that gathers spans.
#[derive(Debug)]
struct Sender {
    agent: Agent,
}

impl Sender {
    fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(ANSWER_TIME))
            .user_agent(concat!("bailiwick/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.new_agent() }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let mut answer = self.agent.run(Request::from_parts(head, body.as_ref()))?;
        let status = answer.status();
        let read = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
        let mut response = Response::new(Bytes::from(read));
        *response.status_mut() = status;
        Ok(response)
    }
}

impl HttpClient for Sender {
    fn send_bytes<'life, 'call>(
        &'life self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'call>>
    where
        'life: 'call,
        Self: 'call,
    {
        Box::pin(async move { self.send(request) })
    }
}
