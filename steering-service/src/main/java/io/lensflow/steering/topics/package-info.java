/** Reading the topics: the tail that keeps this instance's picture of them, and single records. */
package io.lensflow.steering.topics;
