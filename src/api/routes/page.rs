//! The API's description as a page: no script, nothing from elsewhere, so it works where nothing else may be reached.

use std::fmt::Write as _;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::Value;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
    code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:#f5f5f5;padding:.6rem;overflow:auto}\
    details{border:1px solid #ddd;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}summary{cursor:pointer}\
    .m{display:inline-block;width:4.5rem;font-weight:600}table{border-collapse:collapse}td{padding:.1rem .8rem .1rem 0;vertical-align:top}";
const METHODS: [&str; 6] = ["get", "post", "put", "delete", "patch", "head"];

/// The page, made once, with a heading for each tag.
pub(super) fn render(description: &Value, tags: &[String]) -> String {
    let info = |name: &str| text(description.pointer(&format!("/info/{name}")));
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Strongroom's API</title><style>{STYLE}</style><h1>Strongroom {}</h1><p>{}</p>\
         <p><a href=\"/openapi.json\">openapi.json</a></p>",
        info("version"),
        info("description"),
    );
    let paths = description.get("paths").and_then(Value::as_object).into_iter().flatten();
    let routes: Vec<_> = paths
        .flat_map(|(path, item)| {
            METHODS.iter().filter_map(move |method| Some((path, *method, item.get(*method)?)))
        })
        .collect();
    for tag in tags {
        let _ = write!(page, "<h2>{}</h2>", escape(tag));
        for (path, method, route) in routes
            .iter()
            .filter(|(_, _, route)| route.pointer("/tags/0").is_some_and(|of| of == tag.as_str()))
        {
            page.push_str(&one(path, method, route));
        }
    }
    page.push_str("<h2>shapes</h2>");
    for (name, schema) in
        description.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten()
    {
        let shape = serde_json::to_string_pretty(schema).unwrap_or_default();
        let _ = write!(
            page,
            "<details id=\"{0}\"><summary><code>{0}</code></summary><pre>{1}</pre></details>",
            escape(name),
            escape(&shape)
        );
    }
    page + "</html>"
}

fn one(path: &str, method: &str, route: &Value) -> String {
    let mut rows = String::new();
    for parameter in route.get("parameters").and_then(Value::as_array).into_iter().flatten() {
        let _ = write!(
            rows,
            "<tr><td><code>{}</code><td>{}",
            text(parameter.get("name")),
            text(parameter.get("description"))
        );
    }
    let takes = route
        .pointer("/requestBody/content/application~1json/schema/$ref")
        .and_then(Value::as_str)
        .map(shape)
        .unwrap_or_default();
    if !takes.is_empty() {
        let _ = write!(rows, "<tr><td>takes<td>{takes}");
    }
    for (status, response) in
        route.get("responses").and_then(Value::as_object).into_iter().flatten()
    {
        let body = response
            .get("content")
            .and_then(Value::as_object)
            .and_then(|content| content.values().next());
        let body = body
            .and_then(|body| body.pointer("/schema/$ref").and_then(Value::as_str))
            .map(shape)
            .unwrap_or_default();
        let _ = write!(
            rows,
            "<tr><td>{}<td>{} {body}",
            escape(status),
            text(response.get("description"))
        );
    }
    format!(
        "<details><summary><span class=\"m\">{}</span><code>{}</code> {}</summary><table>{rows}</table></details>",
        method.to_uppercase(),
        escape(path),
        text(route.get("summary")),
    )
}

fn shape(reference: &str) -> String {
    let name = escape(reference.rsplit('/').next().unwrap_or_default());
    format!("<a href=\"#{name}\"><code>{name}</code></a>")
}

fn text(value: Option<&Value>) -> String {
    escape(value.and_then(Value::as_str).unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// It needs its own style and nothing else.
pub(super) fn response(page: Bytes) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    (
        [(header::CONTENT_SECURITY_POLICY, policy), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")],
        Html(page),
    )
        .into_response()
}
