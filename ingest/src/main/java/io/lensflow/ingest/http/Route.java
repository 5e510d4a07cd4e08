package io.lensflow.ingest.http;

import io.javalin.http.Handler;

/**
 * One operation of the API.
 *
 * @param method such as {@code GET}
 * @param path as in OpenAPI, parameters in braces
 */
public record Route(String method, String path, Handler handler) {}
