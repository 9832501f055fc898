# Makes the ODBC data source that the project's parameter AthenaDsn names. Run it as an administrator, once on each
# machine that opens the project and on the gateway's. A System DSN: the gateway is a service and sees no user's own.
$driver = (Get-OdbcDriver -Name "*Athena*" -Platform "64-bit" | Select-Object -First 1).Name
Add-OdbcDsn -Name "star_assets" -DsnType "System" -Platform "64-bit" -DriverName $driver -SetPropertyValue @(
    "AwsRegion=eu-west-1"
    "AuthenticationType=IAM Profile"
    "AWSProfile=default"
    "Workgroup=analysts"
    "S3OutputLocation=s3://shop-athena/results/"
    "Catalog=AwsDataCatalog"
    "Schema=shop_olap"
    "EnableResultReuse=1"
    "ReusedResultMaxAgeInMinutes=60"
)
