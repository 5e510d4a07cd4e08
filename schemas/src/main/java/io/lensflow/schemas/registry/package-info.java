/** Client of any schema registry that speaks Confluent's REST API. */
package io.lensflow.schemas.registry;
