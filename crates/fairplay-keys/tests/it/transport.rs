//! A plain transport for tests.

use fairplay_keys::{Cancel, HttpRequest, HttpResponse, SecretBytes, Transport, TransportError};

#[derive(Debug)]
pub(crate) struct Plain(ureq::Agent);

impl Plain {
    pub(crate) fn new() -> Self {
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).proxy(None).max_idle_connections(0);
        Self(config.build().new_agent())
    }
}

impl Transport for Plain {
    fn send(&self, request: &HttpRequest, _: &Cancel) -> Result<HttpResponse, TransportError> {
        let mut post = self.0.post(request.url());
        for (name, value) in request.headers() {
            post = post.header(name, value);
        }
        let broken = |error: ureq::Error| TransportError::Unreachable(error.to_string());
        let mut answer = post.send(request.body().expose()).map_err(broken)?;
        let text = |value: &ureq::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = SecretBytes::new(answer.body_mut().read_to_vec().map_err(broken)?);
        Ok(HttpResponse { status: answer.status().as_u16(), headers, body })
    }
}
