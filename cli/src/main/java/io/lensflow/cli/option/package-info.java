/** What commands have in common on their command lines. */
package io.lensflow.cli.option;
