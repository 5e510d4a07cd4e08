/**
 * What every service process has: typed settings, Kafka clients, and an HTTP port for operators.
 */
package io.lensflow.service;
