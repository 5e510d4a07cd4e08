/** The catalogue of topics: names, partitions, settings, and how they come to a broker. */
package io.lensflow.schemas.topics;
