/** The HTTP side: routes, bodies, answers, and the way to the writer. */
package io.lensflow.steering.http;
