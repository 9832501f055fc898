/** Starts Trino, says so on standard output, and ends with its standard input. */
class Witness {
    public static void main(String[] arguments) throws java.io.IOException {
        // Trino's log takes System.out over.
        var output = System.out;
        new io.trino.server.Server().start("435");
        output.println("started");
        System.in.read();
        Runtime.getRuntime().halt(0);
    }
}
