/** The HTTP interface, {@code /v1}: routes, their parameters, and their description in OpenAPI. */
package io.lensflow.ingest.http;
