# Puts both databases back as they were in $BACKUP, a folder of /backups; default: the newest.
set -eu
name=${BACKUP:-$(ls -1 /backups | sort | tail -n 1)}
if [ -z "$name" ] || [ ! -d "/backups/$name" ]; then
    echo "There is no backup '$name'. There are:"
    ls -1 /backups
    exit 1
fi
for database in hub blueno; do
    [ "$database" = hub ] && url=$HUB_URL || url=$SERVICE_URL
    url=$(echo "$url" | sed 's/+psycopg2//')
    # What came after the backup goes with all the rest; if anything fails, nothing was done.
    {
        echo "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
        pg_restore --no-owner --schema=public --file=- "/backups/$name/$database" | sed '/^CREATE SCHEMA public;$/d'
    } | psql --quiet --set=ON_ERROR_STOP=1 --single-transaction --output=/dev/null --dbname="$url"
done
echo "The databases are as they were in backups/$name."
