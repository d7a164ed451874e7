namespace NicHost.Host.Plugins;

/// <summary>
/// A plugin folder as the host knows it. Its identity lasts: as long as the folder stays, every catalog hands out this object, and with it
/// the same factories. What changes is its status. Any thread.
/// </summary>
internal sealed class PluginEntry
{
    private readonly Lock _gate = new();
    private readonly Func<PluginEntry, LoadedPlugin>? _load;
    private volatile State _state;
    private volatile LoadedPlugin? _loaded;
    private volatile WeakReference? _givenUp;
    private volatile bool _leaked;
    private string? _content;
    private string? _fault;

    private PluginEntry(PluginFolder folder, PluginManifest? manifest, State state, Func<PluginEntry, LoadedPlugin>? load) =>
        (Folder, Manifest, _state, _load) = (folder, manifest, state, load);

    public PluginFolder Folder { get; }

    public string Name => Folder.Name;

    /// <summary>Name of the version folder; empty without one.</summary>
    public string Version => Folder.Version;

    public string Path => Folder.Path;

    /// <summary>Null when the folder was refused.</summary>
    public PluginManifest? Manifest { get; }

    public PluginStatus Status => _state.Status;

    /// <summary>Why it is not active, with the remedy; null when it is.</summary>
    public string? Reason => _state.Reason;

    /// <summary>Whether a topology can have it, by its kinds or by its version.</summary>
    public bool IsOffered => Status is PluginStatus.Active or PluginStatus.Superseded or PluginStatus.Replaced;

    /// <summary>What else there is to know, such as single kinds that another plugin has.</summary>
    public IReadOnlyList<string> Notes => _state.Notes;

    /// <summary>The kinds that it brings, whether it has them or another plugin does.</summary>
    public IReadOnlyList<string> DeviceKinds => Manifest?.DeviceKinds ?? [];

    /// <inheritdoc cref="DeviceKinds"/>
    public IReadOnlyList<string> EndpointKinds => Manifest?.EndpointKinds ?? [];

    public bool IsLoaded => _loaded is not null;

    /// <summary>Whether it was loaded once, so that it is known to work.</summary>
    public bool IsProven => _loaded is not null || _givenUp is not null;

    /// <summary>Whether its folder holds something else than what was loaded from it.</summary>
    public bool IsReplaced { get; private set; }

    /// <summary>Whether that is known to be a whole build.</summary>
    public bool IsReplacedWhole { get; private set; }

    /// <summary>Where its code is.</summary>
    public PluginCode Code => _loaded is not null ? PluginCode.Loaded
        : _givenUp is not { } context ? PluginCode.NotLoaded
        : !context.IsAlive ? PluginCode.Unloaded
        : _leaked ? PluginCode.Leaked : PluginCode.Unloading;

    public PluginTiming Timing { get; private set; }

    /// <summary>A folder that passed the preflight; loaded when somebody asks for one of its kinds.</summary>
    public static PluginEntry Usable(PluginFolder folder, PluginManifest manifest, PluginTiming timing, Func<PluginEntry, LoadedPlugin> load) =>
        new(folder, manifest, new State(PluginStatus.Superseded, null, []), load) { Timing = timing };

    /// <summary>A folder, or a root, that is not used.</summary>
    public static PluginEntry Refused(PluginFolder folder, string reason) =>
        new(folder, null, new State(PluginStatus.Refused, reason, []), null);

    /// <summary>The factories; loads the plugin when this is the first call.</summary>
    /// <returns>Null when it was refused or cannot be loaded; <see cref="Reason"/> then says why.</returns>
    public LoadedPlugin? Load()
    {
        if (_loaded is { } present) return present;
        lock (_gate)
        {
            if (_loaded is not null || _load is null || _fault is not null) return _loaded;
            try
            {
                var loaded = _load(this);
                Timing = Timing with { Load = loaded.LoadMilliseconds, Compose = loaded.ComposeMilliseconds };
                (_content, IsReplaced, _loaded) = (loaded.Content, false, loaded);
            }
#pragma warning disable CA1031 // whatever is wrong with one plugin must not stop the others
            catch (Exception e) { _fault = PluginFault.Describe(e); }
#pragma warning restore CA1031
            if (_fault is not null) _state = new State(PluginStatus.Faulted, _fault, []);
            return _loaded;
        }
    }

    /// <summary>Gives up what was loaded; the next who asks for one of its kinds has it loaded anew.</summary>
    /// <returns>Dead once the load context is gone; null when there is none that could go.</returns>
    public WeakReference? GiveUp()
    {
        lock (_gate)
        {
            if (_loaded?.Context is not { IsUnloadable: true } context) return null;
            _loaded = null;
            _leaked = false;
            return _givenUp = context.GiveUp();
        }
    }

    /// <summary>A context of its that was given up is still there.</summary>
    public void CallLeaked(WeakReference context)
    {
        if (_givenUp == context) _leaked = true;
    }

    /// <summary>Looks whether its folder still holds what was loaded.</summary>
    /// <param name="isWhole">Whether what is there now is known to be whole.</param>
    public void Compare(bool isWhole)
    {
        lock (_gate)
        {
            if (_content is null) return;
            IsReplaced = FolderContent.Read(Path) != _content;
            IsReplacedWhole = IsReplaced && (isWhole || IsReplacedWhole);
        }
    }

    /// <summary>The catalog's judgement. A fault stays a fault, and of one that was replaced that is what counts.</summary>
    public void Judge(PluginStatus status, string? reason, params IReadOnlyList<string> notes)
    {
        lock (_gate)
        {
            if (_fault is not null) return;
            _state = IsReplaced && IsLoaded && status is PluginStatus.Active or PluginStatus.Superseded
                ? new State(PluginStatus.Replaced, Replaced(), reason is null ? notes : [reason, .. notes])
                : new State(status, reason, notes);
        }
    }

    private string Replaced() =>
        "Its folder holds another build than the one that was loaded from it, which goes on being used. "
        + (_loaded?.Context is { IsUnloadable: true }
            ? "The new one is loaded once no NIC uses the old one."
            : "Give the new build a version folder of its own and put the old one back, or start the host anew.");

    public override string ToString() => Version.Length == 0 ? Name : $"{Name} {Version}";

    private sealed record State(PluginStatus Status, string? Reason, IReadOnlyList<string> Notes);
}
