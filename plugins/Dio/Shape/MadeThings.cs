namespace NicHost.Dio.Shape;

/// <summary>What a run has made, oldest first, also on disk: there the next run finds what a killed one left.</summary>
/// <param name="by">Whose it is.</param>
/// <param name="folder">Where records lie; null when what is made ends with the process in any case.</param>
/// <param name="undo">Undoes one thing if it is still there and still that one; returns why it could not.</param>
internal sealed class MadeThings(MadeBy by, RecordFolder? folder, Func<MadeThing, string?> undo)
{
    private readonly List<MadeThing> _things = [];
    private Record? _record;

    public IReadOnlyList<MadeThing> Things => [.. _things];

    /// <summary>Notes a thing that is about to be made.</summary>
    /// <exception cref="IOException">The record cannot be written; nothing is to be made then.</exception>
    public void Add(MadeThing thing)
    {
        if (folder is not null) (_record ??= folder.Create(by)).Append(thing);
        _things.Add(thing);
    }

    /// <summary>Undoes all of it, newest first.</summary>
    /// <returns>What could not be undone, and why.</returns>
    public IReadOnlyList<string> Undo()
    {
        var failures = Undo(_things, undo);
        _things.Clear();
        if (Interlocked.Exchange(ref _record, null) is { } record)
        {
            // What could not be undone is left to a later run.
            if (failures.Count == 0) record.Delete();
            record.Dispose();
        }
        return failures;
    }

    /// <summary>Leaves all of it as it is.</summary>
    /// <param name="inRecord">Whether its record stays, to undo it another time.</param>
    public void Keep(bool inRecord)
    {
        _things.Clear();
        if (Interlocked.Exchange(ref _record, null) is not { } record) return;
        if (!inRecord) record.Delete();
        record.Dispose();
    }

    /// <summary>Undoes what runs left that are no more.</summary>
    /// <returns>What was found and what became of it.</returns>
    public static IReadOnlyList<string> UndoLeftovers(RecordFolder folder, string inNamespace, Func<MadeThing, string?> undo, Func<MadeBy, bool>? whose = null)
    {
        var told = new List<string>();
        foreach (var record in folder.Abandoned(inNamespace))
        {
            using (record)
            {
                if (whose?.Invoke(record.By) == false) continue;
                var things = record.Things;
                var failures = Undo(things, undo);
                if (failures.Count == 0) record.Delete();
                told.AddRange(failures.Count > 0 ? failures : things.Select(thing => $"{record.By.Nic} had made {thing}, which is undone"));
            }
        }
        return told;
    }

    private static List<string> Undo(IReadOnlyList<MadeThing> things, Func<MadeThing, string?> undo)
    {
        var failures = new List<string>();
        foreach (var thing in things.Reverse())
        {
            try
            {
                if (undo(thing) is { } why) failures.Add($"{thing} stays behind: {why}");
            }
            catch (IOException e) { failures.Add($"{thing} stays behind: {e.Message}"); }
        }
        return failures;
    }
}
