"""What every part of the lakehouse stands on: settings, the Spark session, JVM artefacts, local services, the CLI."""
