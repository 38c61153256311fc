/// The version that every program of the product says, and the records with them.
package let productVersion = "0.1.0"
