using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace NicHost.Contracts.Options;

/// <summary>The options of one kind: their schema and their check. Made by a plugin from its own source-generated JSON metadata.</summary>
public abstract class OptionsModel
{
    private protected OptionsModel() { }

    /// <summary>The JSON schema of the options object, without <c>kind</c>.</summary>
    public abstract JsonObject Schema();

    /// <summary>Finds everything that is wrong in <paramref name="options"/>.</summary>
    /// <param name="options">The options object; a member called <c>kind</c> is passed over.</param>
    /// <param name="faults">Receives one entry per fault.</param>
    public abstract void Check(JsonElement options, ICollection<OptionFault> faults);

    /// <summary>
    /// Finds what is wrong in options that others will be merged over, such as a topology's defaults: as <see cref="Check"/>, but required
    /// members may be missing. Since 1.1.
    /// </summary>
    /// <param name="options">The options object.</param>
    /// <param name="faults">Receives one entry per fault.</param>
    public abstract void CheckPartial(JsonElement options, ICollection<OptionFault> faults);

    /// <summary>The options as they hold: with a value for every member, written or not. <c>kind</c> is left out. Since 1.1.</summary>
    /// <param name="options">Options that have passed <see cref="Check"/>.</param>
    /// <exception cref="OptionsException">They have not.</exception>
    public abstract JsonObject Resolve(JsonElement options);

    /// <summary>A copy of the options in which each path that is marked with <see cref="HostPathAttribute"/> is another. Since 1.1.</summary>
    /// <param name="options">The options object.</param>
    /// <param name="map">Gives what stands in its place, from the option (a JSON path inside the options object) and the path that it holds.</param>
    public abstract JsonObject MapPaths(JsonElement options, Func<string, string, string> map);
}

/// <summary>Options bound to <typeparamref name="T"/>.</summary>
/// <typeparam name="T">
/// A record; <see cref="System.ComponentModel.DescriptionAttribute"/> on each member gives the schema's text. Members with a default are
/// <c>get; set;</c>: source-generated binding overwrites the default of an <c>init</c> member that the JSON leaves out, so the constructor refuses those.
/// </typeparam>
/// <param name="type">Source-generated metadata; camel case, strict about nulls.</param>
/// <param name="validate">Adds faults that types alone do not show; called only when every member has its type.</param>
public sealed class OptionsModel<T>(JsonTypeInfo<T> type, Action<T, ICollection<OptionFault>>? validate = null) : OptionsModel
    where T : class
{
    private readonly JsonTypeInfo<T> _type = OptionsBinding.RefuseInitDefaults(type);

    /// <inheritdoc/>
    public override JsonObject Schema() => OptionsSchema.Export(_type);

    /// <inheritdoc/>
    public override void Check(JsonElement options, ICollection<OptionFault> faults) => TryBind(options, faults, out _);

    /// <inheritdoc/>
    public override void CheckPartial(JsonElement options, ICollection<OptionFault> faults)
    {
        ArgumentNullException.ThrowIfNull(faults);
        // Without a required member there is nothing to bind, and so to validate.
        if (MemberCheck.Run(_type, options, [])) TryBind(options, faults, out _);
        else MemberCheck.Run(_type, options, faults, isPartial: true);
    }

    /// <inheritdoc/>
    public override JsonObject Resolve(JsonElement options) => JsonSerializer.SerializeToNode(Bind(options), _type)!.AsObject();

    /// <inheritdoc/>
    public override JsonObject MapPaths(JsonElement options, Func<string, string, string> map)
    {
        ArgumentNullException.ThrowIfNull(map);
        var copy = JsonObject.Create(options)!;
        HostPaths.Map(_type, "$", copy, map);
        return copy;
    }

    /// <summary>Binds the options.</summary>
    /// <exception cref="OptionsException">Something is wrong; the exception lists everything.</exception>
    public T Bind(JsonElement options)
    {
        var faults = new List<OptionFault>();
        return TryBind(options, faults, out var bound) ? bound! : throw new OptionsException(faults);
    }

    private bool TryBind(JsonElement options, ICollection<OptionFault> faults, out T? bound)
    {
        bound = null;
        var before = faults.Count;
        if (!MemberCheck.Run(_type, options, faults)) return false;
        bound = OptionsBinding.WithoutKind(options).Deserialize(_type)!;
        validate?.Invoke(bound, faults);
        return faults.Count == before;
    }
}
