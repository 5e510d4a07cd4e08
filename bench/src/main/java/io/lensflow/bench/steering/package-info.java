/** What steering costs, and how soon a vector that is published is used. */
package io.lensflow.bench.steering;
