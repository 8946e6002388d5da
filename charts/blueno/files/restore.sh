# Puts both databases back as they were in $BACKUP, a folder of /backups; default: the newest.
set -eu
name=${BACKUP:-$(ls -1 /backups | sort | tail -n 1)}
if [ -z "$name" ] || [ ! -d "/backups/$name" ]; then
    echo "There is no backup '$name'. There are:"
    ls -1 /backups
    exit 1
fi
for database in hub blueno; do
    [ "$database" = hub ] && url=$HUB_URL || url=${OWNER_URL:-$SERVICE_URL}
    url=$(echo "$url" | sed 's/+psycopg2//')
    # What came after the backup goes with all the rest. It counts by the last line, which whoever did not read the
    # backup to its end does not write: then, as when anything fails, nothing was done.
    said=$({
        echo "BEGIN; DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
        pg_restore --no-owner --no-acl --schema=public --file=- "/backups/$name/$database" && {
            if [ "$database" = blueno ] && [ -n "${OWNER_URL:-}" ]; then # as jupyter_blueno/database/roles.py has it
                user=$(echo "$SERVICE_URL" | sed 's|.*://||; s|[:@].*||')
                echo "GRANT USAGE ON SCHEMA public TO \"$user\";"
                echo "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \"$user\";"
                echo "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO \"$user\";"
                echo "REVOKE INSERT, UPDATE, DELETE ON public.alembic_version FROM \"$user\";"
                echo "REVOKE UPDATE ON public.audit FROM \"$user\";"
            fi
            echo "COMMIT;"
            printf '%s\n' '\echo whole' # echo itself has a meaning for \e in some shells
        }
    } | sed '/^CREATE SCHEMA public;$/d' | psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --output=/dev/null --dbname="$url")
    if [ "$said" != whole ]; then
        echo "$database: the backup could not be read to its end; this database is as it was."
        exit 1
    fi
done
echo "The databases are as they were in backups/$name."
